import { setTimeout as sleep } from 'node:timers/promises';
import type { HoldEnd } from '../support/seeded-model.ts';

/** After so long an answer ends whoever reads it. */
const LONGEST_MS = 30_000;

/** Lets each answer end only when its readers are there to see it, however slow the machine is. */
export interface LastReaders {
  readonly holdEnd: HoldEnd;
  /** One more reader of the answer of this seed is on the connection on which it reads to the end. */
  arrived(seed: number): void;
}

/** Waits for `count` readers of each answer. */
export function createLastReaders(count: number): LastReaders {
  const gates = new Map<number, { missing: number; readonly open: PromiseWithResolvers<void> }>();
  const gateOf = (seed: number) => {
    const gate = gates.get(seed) ?? { missing: count, open: Promise.withResolvers<void>() };
    gates.set(seed, gate);
    return gate;
  };
  return {
    async holdEnd(seed) {
      const enough = new AbortController();
      const tooLong = sleep(LONGEST_MS, undefined, { signal: enough.signal }).catch(() => undefined);
      await Promise.race([gateOf(seed).open.promise, tooLong]);
      enough.abort();
    },
    arrived(seed) {
      const gate = gateOf(seed);
      gate.missing -= 1;
      if (gate.missing === 0) gate.open.resolve();
    },
  };
}
