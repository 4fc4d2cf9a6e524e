import { bare, partiesOf, startServer } from './contestants.ts';
import type { FanOut } from './fan-out.ts';
import { measure, unlessWrong } from './measure.ts';
import type { LoadResult } from './recorder.ts';
import type { Contestant } from './rounds.ts';
import type { Bench, Scenario } from './scenario.ts';
import { compare, loads, rowOf } from './stream-scenarios.ts';
import { ask, dismiss, startCompanion } from './targets.ts';

const READERS = 500;
const TOKENS = 200;

/** Many readers of one run at the pace of `paced`, so that a delivered token can be put beside one that bare relays. */
export function readers(bench: Bench): Contestant {
  return {
    name: `${READERS} readers`,
    async measure() {
      const target = await startServer(bench);
      const companion = startCompanion('./fan-out.ts');
      try {
        const follow = async (fanOut: Omit<FanOut, 'place'>) =>
          unlessWrong(await ask<LoadResult>(companion, { ...fanOut, place: { url: target.url, token: target.token } }));
        for (const id of ['warm1', 'warm2']) await follow({ readers: READERS, script: { id, tokens: TOKENS, delayMs: 5, batch: 1 } });
        const script = { id: 'fan', tokens: TOKENS, delayMs: 20, batch: 1 };
        return await measure(partiesOf(bench, target), companion, () => follow({ readers: READERS, script }));
      } finally {
        dismiss(companion);
        await target.stop();
      }
    },
  };
}

export const fanOut: Scenario = {
  name: 'fan-out',
  what: '500 readers of one run at 50 tokens/s; bare relays as many streams at that pace',
  async run(bench) {
    const many = readers(bench);
    const load = loads.paced(bench.small);
    const contestants = [bare(bench, { ...load, shape: { ...load.shape, questions: 1 } }), many];
    return compare(bench, { contestants }, (rows) => ({ cpu: rowOf(rows, many.name).ratio }));
  },
};
