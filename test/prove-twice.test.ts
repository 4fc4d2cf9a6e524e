import { expect, test } from 'vitest';
import { describeReport } from './proofs/report.ts';
import { proveTwice } from './proofs/twice.ts';
import { chooseSeed } from './support/random.ts';

test('a question that is sent again and again with one key is one message, one run and one model call', async () => {
  const report = await proveTwice({ seed: chooseSeed(), questions: 1_000 });
  process.stdout.write(`${describeReport(report)}\n`);
  expect(report.problems.list, describeReport(report)).toEqual([]);
  expect(report.figures).toMatchObject({ questions: 1_000, runs: 1_000, answers: 1_000, calls: 1_000 });
}, 120_000);
