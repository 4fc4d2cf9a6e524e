import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { beginning, ending, NOW, segment } from '../../../../test/contracts/store-fixtures.ts';
import type { LogBatch, LogBatchResult } from '../../../core/ports/store.ts';
import type { Run } from '../../../core/run.ts';
import { migrate } from '../sql/migrations.ts';
import { type Connection, openDatabase } from './database.ts';
import { flatBatchOf } from './flat-batch.ts';
import { type GroupCommit, groupCommit } from './group-commit.ts';
import { liveLog } from './live-log.ts';
import { liveRows } from './live-rows.ts';
import type { Call } from './protocol.ts';
import { sessionOf, statementsOn } from './statements.ts';

let dir: string;
let connection: Connection;
let commits: GroupCommit;

async function open(): Promise<void> {
  connection = openDatabase(dir);
  const statements = statementsOn(connection.database);
  const session = sessionOf(statements);
  await migrate(session);
  commits = groupCommit(connection, { session, log: liveLog(liveRows(statements)) });
}

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'polylogue-live-'));
  await open();
});

afterEach(() => {
  connection.close();
  rmSync(dir, { recursive: true, force: true });
});

async function answers(calls: readonly Pick<Call, 'operation' | 'input'>[]): Promise<readonly unknown[]> {
  const outcomes = await commits.run(calls.map((call, id) => ({ id, ...call })));
  return outcomes.map((outcome) => {
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  });
}

async function begin(): Promise<Run> {
  const [begun] = await answers([{ operation: 'beginRun', input: [beginning()] }]);
  return (begun as { readonly run: Run }).run;
}

async function append(batch: Partial<LogBatch>): Promise<LogBatchResult> {
  const whole: LogBatch = { now: NOW, segments: [], waits: [], ends: [], durable: false, lease: null, ...batch };
  const [result] = await answers([{ operation: 'appendLog', input: [flatBatchOf(whole)] }]);
  return result as LogBatchResult;
}

/** Gives each run events from `first` to `last`, a segment each, so that the rows of all lie mixed. */
async function talk(runs: readonly Run[], { first, last }: { first: number; last: number }): Promise<void> {
  for (let offset = first; offset <= last; offset += 1) {
    const result = await append({ segments: runs.map((run) => segment(run, offset, [`${run.id} says ${offset}`])) });
    expect(result.fenced).toEqual([]);
  }
}

async function offsetsOf(run: Run): Promise<readonly number[]> {
  const [page] = await answers([{ operation: 'readLog', input: [{ runId: run.id, after: 0, maxBytes: 1e9 }] }]);
  const { events } = page as { readonly events: readonly string[] };
  expect(events.slice(1, -1).every((json, index) => json.includes(`${run.id} says ${index + 2}`))).toBe(true);
  return events.map((json) => (JSON.parse(json) as { offset: number }).offset);
}

const rowsByRun = (): ReadonlyMap<unknown, unknown> =>
  new Map(
    connection.database
      .prepare('select run_id, count(*) as rows from run_log_live group by run_id')
      .all()
      .map(({ run_id, rows }) => [run_id, rows]),
  );

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

test('what ended runs leave goes in the end, and nothing else', async () => {
  const runs = [await begin(), await begin(), await begin()];
  const [first, second, third] = runs as [Run, Run, Run];
  await talk(runs, { first: 2, last: 30 });
  await append({ ends: [ending(first, 31), ending(third, 31)], durable: true });
  while (commits.clear('all'));
  expect(rowsByRun()).toEqual(new Map([[second.id, 30]]));
  await talk([second], { first: 31, last: 40 });
  expect(await offsetsOf(first)).toEqual(upTo(31));
  expect(await offsetsOf(second)).toEqual(upTo(40));
  await append({ ends: [ending(second, 41)], durable: true });
  while (commits.clear('all'));
  expect(rowsByRun()).toEqual(new Map());
  expect(await offsetsOf(second)).toEqual(upTo(41));
});

test('the rows left in the table stay within bounds while a long run holds the first of them', async () => {
  const long = await begin();
  const facts = Array.from({ length: 300 }, () => 'word');
  let most = 0;
  for (let round = 0; round < 100; round += 1) {
    const run = await begin();
    // As many rows as segments: one run after the other, with the long one in between.
    await append({ segments: facts.map((fact, index) => segment(run, index + 2, [fact])) });
    await talk([long], { first: round + 2, last: round + 2 });
    await append({ ends: [ending(run, facts.length + 2)], durable: true });
    while (commits.clear('due'));
    most = Math.max(most, Number(connection.database.prepare('select count(*) as rows from run_log_live').get()?.rows));
  }
  expect(most).toBeLessThan(20_000);
  expect(rowsByRun().get(long.id)).toBe(101);
  expect(await offsetsOf(long)).toEqual(upTo(101));
});

test('a server that comes back finds the live runs and clears what ended ones have left', async () => {
  const runs = [await begin(), await begin()];
  const [live, ended] = runs as [Run, Run];
  await talk(runs, { first: 2, last: 20 });
  await append({ ends: [ending(ended, 21)], durable: true });
  expect(rowsByRun().get(ended.id)).toBe(20);
  connection.close();
  await open();
  expect(rowsByRun()).toEqual(new Map([[live.id, 20]]));
  await talk([live], { first: 21, last: 25 });
  expect(await offsetsOf(live)).toEqual(upTo(25));
  expect(await offsetsOf(ended)).toEqual(upTo(21));
  await append({ ends: [ending(live, 26)], durable: true });
  expect(await offsetsOf(live)).toEqual(upTo(26));
});

test('an end that fails leaves no trace, and one that follows finds the log as it was', async () => {
  const [first, second] = [await begin(), await begin()];
  await talk([first, second], { first: 2, last: 5 });
  const end = ending(first, 7);
  const unwritable = { ...end, answer: { ...end.answer, usage: { tokens: 1n } as never } };
  const segments = [segment(first, 6, [`${first.id} says 6`]), segment(second, 6, ['taken back'])];
  await expect(append({ segments, ends: [unwritable], durable: true })).rejects.toThrow('BigInt');
  await talk([first, second], { first: 6, last: 6 });
  await append({ ends: [end, ending(second, 7)], durable: true });
  for (const run of [first, second]) expect(await offsetsOf(run)).toEqual(upTo(7));
});

test('an end that finds the disk full lets none of those behind it be written', async () => {
  const limitPages = (pages: number) => connection.database.prepare(`PRAGMA max_page_count = ${pages}`).get();
  const [first, second] = [await begin(), await begin()];
  await append({ segments: [segment(first, 2, ['long '.repeat(40_000)])], durable: true });
  limitPages(1);
  await expect(append({ ends: [ending(first, 3), ending(second, 2)], durable: true })).rejects.toThrow('full');
  limitPages(4_294_967_294);
  expect(connection.database.prepare('select distinct status from runs').all()).toEqual([{ status: 'running' }]);
  expect(await append({ ends: [ending(first, 3), ending(second, 2)], durable: true })).toEqual({ fenced: [], started: [] });
});

test('runs that write more than is kept in memory have whole logs too', async () => {
  const runs = [await begin(), await begin()];
  const [first, second] = runs as [Run, Run];
  const events = (run: Run, offset: number) => [`${run.id} says ${offset}${' more'.repeat(20_000)}`];
  for (let offset = 2; offset <= 30; offset += 1) await append({ segments: runs.map((run) => segment(run, offset, events(run, offset))) });
  await append({ ends: [ending(first, 31)], durable: true });
  await append({ segments: [segment(second, 31, events(second, 31))] });
  await append({ ends: [ending(second, 32)], durable: true });
  expect([await offsetsOf(first), await offsetsOf(second)]).toEqual([upTo(31), upTo(32)]);
});

test('a run that was taken over takes nothing more from its former attempt', async () => {
  const run = await begin();
  await talk([run], { first: 2, last: 5 });
  const lease = { processId: 'another', until: NOW + 99_000 };
  const batch = { now: NOW, segments: [segment(run, 6, ['stale'])], waits: [], ends: [], durable: false, lease: null };
  const [taken, late] = await answers([
    { operation: 'takeLost', input: [{ now: NOW + 60_000, lease }] },
    { operation: 'appendLog', input: [flatBatchOf(batch)] },
  ]);
  expect(taken).toMatchObject([{ run: { id: run.id, attempt: 2 } }]);
  expect(late).toMatchObject({ fenced: [run.id] });
  expect((await append({ segments: [segment({ ...run, attempt: 2 }, 6, ['fresh'])] })).fenced).toEqual([]);
});
