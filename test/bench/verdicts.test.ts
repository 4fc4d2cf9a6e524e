import { expect, test } from 'vitest';
import { goals, judge } from '../../bench/goals.ts';
import type { Measurement } from '../../bench/measure.ts';
import { type Result, writeGoals, writeResult } from '../../bench/report.ts';
import { createQuietRepeater, MachineBusy, runRounds } from '../../bench/rounds.ts';
import { toRows } from '../../bench/rows.ts';

function measurement(cpuSeconds: number, strangers = 0): Measurement {
  const times = { p50: 1, p99: 2 };
  const result = { tokens: 1_000_000, answers: 1, failures: [], wallMs: 1000, first: times, gap: times, answer: times };
  const threads = { main: cpuSeconds, workers: 0, other: 0 };
  return { result, cpuSeconds, threads, peakRssBytes: 2e6, idleRssBytes: 1e6, databaseSeconds: 0, harness: 0.5, strangers };
}

const result: Result = {
  ...{ scenario: 'burst', what: 'a burst', store: 'embedded', rounds: 3, small: false, quiet: true, strangers: 0.02 },
  ...{ date: '2026-11-20T10:00:00.000Z', machine: 'a machine', command: 'npm run bench -- burst', rows: [], notes: [] },
  figures: { cpu: 0.9 },
};

/** Gives the values one after the other. */
function turns<Value>(...values: readonly Value[]): () => Promise<Value> {
  const left = [...values];
  return async () => {
    const value = left.shift();
    if (value === undefined) throw new Error('Measured too often.');
    return value;
  };
}

test('a ratio is the median of what the rounds say, each against its own yardstick', async () => {
  const setting = { rounds: 3, acceptNoise: false, say: () => undefined };
  const bare = { name: 'bare', measure: turns(measurement(2), measurement(4), measurement(10)) };
  const ours = { name: 'ours', measure: turns(measurement(3), measurement(4), measurement(5)) };
  const floor = { name: 'floor', once: true, measure: turns(measurement(1)) };
  const rows = toRows(await runRounds([floor, bare, ours], setting), 'bare');
  expect(rows.map(({ name, ratio }) => [name, ratio])).toEqual([
    ['floor', 0.5],
    ['bare', 1],
    ['ours', 1],
  ]);
});

test('what strangers have disturbed is measured again, and given up when that happens too often', async () => {
  const said: string[] = [];
  const setting = { rounds: 1, acceptNoise: false, say: (line: string) => void said.push(line) };
  const once = { name: 'bare', measure: turns(measurement(9, 0.5), measurement(2, 0.01)) };
  expect(toRows(await runRounds([once], setting), 'bare')[0]?.perMillion).toBe(2);
  expect(said).toEqual(['round 1, bare: others used 50 % of a processor; once more']);

  const always = { name: 'bare', measure: async () => measurement(9, 0.5) };
  await expect(runRounds([always], setting)).rejects.toThrow(MachineBusy);
  expect(said).toHaveLength(1 + 4);
  expect(toRows(await runRounds([always], { ...setting, acceptNoise: true }), 'bare')[0]?.perMillion).toBe(9);
});

test('a scenario repeats a bounded number of times in all', async () => {
  const quietly = createQuietRepeater({ acceptNoise: false, say: () => undefined });
  const disturbedOnce = () => turns({ strangers: 0.3 }, { strangers: 0 });
  for (let at = 0; at < 3; at += 1) await quietly('it', disturbedOnce());
  await expect(quietly('it', disturbedOnce())).rejects.toThrow(MachineBusy);
});

test('a noisy result has no numbers unless they are asked for, and then says that it is none', () => {
  expect(writeResult(result, false)).toContain('| burst, CPU per token | 0.90 x bare | 0.95 | 0.85 | kept |');
  const noisy = { ...result, quiet: false, strangers: 0.4 };
  expect(writeResult(noisy, false)).not.toContain('0.90');
  expect(writeResult(noisy, false)).toContain('NO RESULT: others used up to 40 % of a processor');
  expect(writeResult(noisy, true)).toContain('0.90');
  expect(writeResult(noisy, true)).toContain('NO RESULT');
});

test('what misses its goal is marked', () => {
  expect(writeResult({ ...result, figures: { cpu: 0.97 } }, false)).toContain('**MISSED**');
  expect(writeResult({ ...result, figures: { cpu: 0.8 } }, false)).toContain('kept, stretch too');
  const streams = goals.find(({ scenario }) => scenario === 'capacity');
  if (!streams) throw new Error('There is no goal for capacity.');
  expect([500, 600, 800].map((value) => judge(streams, 'embedded', value))).toEqual(['missed', 'kept', 'stretch']);
  expect(judge(streams, 'postgres', 500)).toBe('kept');
});

test("the README's table has a row for each goal with the newest quiet result of both stores", () => {
  const table = writeGoals([
    { ...result, figures: { cpu: 0.5 } },
    result,
    { ...result, store: 'postgres', figures: { cpu: 0.99, database: 0.1 }, date: '2026-11-21T10:00:00.000Z' },
    { ...result, quiet: false, figures: { cpu: 0.1 } },
    { ...result, small: true, figures: { cpu: 0.2 } },
  ]);
  expect(table).toContain('Measured 2026-11-20 to 2026-11-21 on a machine, by `npm run bench -- --store both`.');
  expect(table).toContain('| burst, CPU per token [x bare] | 0.90 | **0.99** | 0.95 (0.85) |');
  expect(table).toContain("| burst, the database's CPU per token [x bare] |  | 0.10 | 0.15 |");
  expect(table.match(/^\| /gm)).toHaveLength(goals.length + 2);
});
