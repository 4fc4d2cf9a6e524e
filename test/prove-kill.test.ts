import { expect, test } from 'vitest';
import { proveKill } from './proofs/kill.ts';
import { describeReport } from './proofs/report.ts';
import { chooseSeed } from './support/random.ts';

test('no acknowledged message and no seen token is lost when the server is killed', async () => {
  const report = await proveKill({ seed: chooseSeed(), rounds: 20 });
  process.stdout.write(`${describeReport(report)}\n`);
  expect(report.problems.list, describeReport(report)).toEqual([]);
  expect(report.figures.interrupted).toBeGreaterThan(20);
  expect(report.figures.completed).toBeGreaterThan(20);
}, 300_000);

test('a server that delivers before it commits loses tokens, and the proof sees it', async () => {
  const report = await proveKill({ seed: chooseSeed(), rounds: 2, unsafe: true });
  expect(report.problems.count('lost'), describeReport(report)).toBeGreaterThan(0);
}, 120_000);
