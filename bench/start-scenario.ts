import { setTimeout as sleep } from 'node:timers/promises';
import { startServer } from './contestants.ts';
import { familyOf, rssOf } from './process-usage.ts';
import { createQuietRepeater } from './rounds.ts';
import { median } from './rows.ts';
import type { Bench, Scenario } from './scenario.ts';
import { watch } from './strangers.ts';
import { startPolylogue } from './targets.ts';

const SETTLE_MS = 3_000;

/** Seconds from `npm start` on a built project to the first 200 on /ready. */
async function startByNpm({ upstream, database }: Bench): Promise<number> {
  const target = await startPolylogue(upstream.url, { databaseUrl: database?.url ?? null, profileTo: null, byNpm: true });
  await target.stop();
  return target.readyMs / 1000;
}

/** Megabytes of a server that has started and been asked for nothing. */
async function measureIdleRss(bench: Bench): Promise<number> {
  const target = await startServer(bench);
  await sleep(SETTLE_MS);
  const rss = rssOf(familyOf(target.pid));
  await target.stop();
  return rss / 1e6;
}

export const start: Scenario = {
  name: 'start',
  what: '`npm start` on a built project until it is ready, and the memory of a server that has nothing to do',
  async run(bench) {
    await startByNpm(bench);
    const quietly = createQuietRepeater(bench);
    const [ready, idleRss, noise]: [number[], number[], number[]] = [[], [], []];
    for (let round = 1; round <= Math.max(3, bench.rounds); round += 1) {
      const started = await quietly(`start ${round}`, () => watch(() => startByNpm(bench)));
      ready.push(started.value);
      noise.push(started.strangers);
      idleRss.push(await measureIdleRss(bench));
    }
    return { rows: [], figures: { ready: median(ready), idleRss: median(idleRss) }, notes: [], strangers: Math.max(...noise) };
  },
};
