import { expect, test } from 'vitest';
import { describeReport } from './proofs/report.ts';
import { proveTwice } from './proofs/twice.ts';
import { proofStores } from './support/proof-stores.ts';
import { chooseSeed } from './support/random.ts';

const QUESTIONS = { embedded: 1_000, postgres: 800 };

for (const { name, skip, open } of await proofStores()) {
  test.skipIf(skip)(
    `a question that is sent again and again with one key is one message, one run and one model call (${name})`,
    async () => {
      const questions = QUESTIONS[name];
      const store = await open();
      const report = await proveTwice({ seed: chooseSeed(), questions, store }).finally(() => store.remove());
      process.stdout.write(`${describeReport(report)}\n`);
      expect(report.problems.list, describeReport(report)).toEqual([]);
      expect(report.figures).toMatchObject({ questions, runs: questions, answers: questions, calls: questions });
    },
    120_000,
  );
}
