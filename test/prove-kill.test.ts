import { expect, test } from 'vitest';
import { proveKill } from './proofs/kill.ts';
import { describeReport } from './proofs/report.ts';
import type { ProofStore } from './proofs/stores.ts';
import { proofStores } from './support/proof-stores.ts';
import { chooseSeed } from './support/random.ts';

for (const { name, skip, open } of await proofStores()) {
  test.skipIf(skip)(
    `no acknowledged message and no seen token is lost when the server is killed (${name})`,
    async () => {
      const store = await open();
      const report = await proveKill({ seed: chooseSeed(), rounds: 6, store }).finally(() => store.remove());
      process.stdout.write(`${describeReport(report)}\n`);
      expect(report.problems.list, describeReport(report)).toEqual([]);
      expect(report.figures.interrupted).toBeGreaterThan(20);
      expect(report.figures.completed).toBeGreaterThan(20);
    },
    400_000,
  );

  test.skipIf(skip)(
    `a server that delivers before it commits loses tokens, and the proof sees it (${name})`,
    async () => {
      const store = await open();
      try {
        expect(await loseWithin(5, store)).toBeGreaterThan(0);
      } finally {
        await store.remove();
      }
    },
    240_000,
  );
}

/** What was lost in the first round in which anything was: a busy machine may die before any answer is ahead of the store. */
async function loseWithin(rounds: number, store: ProofStore): Promise<number> {
  for (let round = 0; round < rounds; round += 1) {
    const report = await proveKill({ seed: chooseSeed(), rounds: 1, store, unsafe: true });
    process.stdout.write(`${describeReport(report)}\n`);
    if (report.problems.count('lost') > 0) return report.problems.count('lost');
  }
  return 0;
}
