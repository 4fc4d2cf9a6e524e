import { expect, test } from 'vitest';
import { proveQueue } from './proofs/queue.ts';
import { describeReport } from './proofs/report.ts';
import { chooseSeed } from './support/random.ts';

test('many senders in one thread get one order, and one answer at a time', async () => {
  const report = await proveQueue({ seed: chooseSeed(), threads: 50 });
  process.stdout.write(`${describeReport(report)}\n`);
  expect(report.problems.list, describeReport(report)).toEqual([]);
  expect(report.figures.full).toBeGreaterThan(0);
}, 180_000);
