import { expect, test } from 'vitest';
import { describeReport } from './proofs/report.ts';
import { proveResume } from './proofs/resume.ts';
import { chooseSeed } from './support/random.ts';

test('a stream that is cut anywhere and resumed through any door has every token once and in order', async () => {
  const report = await proveResume({ seed: chooseSeed(), streams: 1_000 });
  process.stdout.write(`${describeReport(report)}\n`);
  expect(report.problems.list, describeReport(report)).toEqual([]);
  expect(report.figures.cuts).toBeGreaterThan(2_000);
  expect(report.figures.crossings).toBeGreaterThan(500);
}, 180_000);
