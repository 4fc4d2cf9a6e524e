import { afterAll, beforeAll, expect, test } from 'vitest';
import { bare, ours } from '../bench/contestants.ts';
import { readers } from '../bench/fan-out-scenario.ts';
import { cannotMeasure } from '../bench/machine.ts';
import { warnings } from '../bench/processors.ts';
import type { Contestant } from '../bench/rounds.ts';
import type { Bench } from '../bench/scenario.ts';
import { compare, loads, rowOf } from '../bench/stream-scenarios.ts';
import { dismiss, startUpstream } from '../bench/targets.ts';

// Ratios of CPU time only: what runs beside the test takes time, but hardly any of the time that the system counts for a process, and the
// rounds are interleaved. A ratio that is too high is measured once more before it is believed.

const say = (line: string) => void process.stderr.write(`${line}\n`);
const impossible = cannotMeasure();
if (impossible !== null) say(impossible);

let bench: Bench;
beforeAll(async () => {
  for (const warning of warnings()) say(warning);
  const setting = { rounds: 3, acceptNoise: true, say, small: true, profileTo: null };
  bench = { ...setting, store: 'embedded', database: null, upstream: await startUpstream(), dialects: ['chat-sessions'] };
});
afterAll(() => dismiss(bench.upstream));

/** CPU for a token against bare, the median of three interleaved rounds; of two such medians the lower one when the first is too high. */
async function ratioOf(contestants: readonly [Contestant, Contestant], most: number): Promise<number> {
  const [, { name }] = contestants;
  const once = async () => rowOf((await compare(bench, { contestants }, () => ({}))).rows, name).ratio;
  const ratio = await once();
  say(`${name}: ${ratio.toFixed(2)} x bare`);
  return ratio <= most ? ratio : Math.min(ratio, await once());
}

test.skipIf(impossible !== null)(
  'in a burst, a token that is stored before it is shown costs no more than 1.15 times what a bare relay needs',
  async () => {
    const load = loads.burst(true);
    expect(await ratioOf([bare(bench, load), ours(bench, load, 'chat-sessions')], 1.15)).toBeLessThanOrEqual(1.15);
  },
  600_000,
);

test.skipIf(impossible !== null)(
  'a token for one of many readers of a run costs no more than half of what a bare relay needs for one',
  async () => {
    const load = loads.paced(true);
    expect(await ratioOf([bare(bench, load), readers(bench)], 0.5)).toBeLessThanOrEqual(0.5);
  },
  600_000,
);
