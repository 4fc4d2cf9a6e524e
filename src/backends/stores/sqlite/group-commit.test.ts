import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ann, beginning, ending, segment } from '../../../../test/contracts/store-fixtures.ts';
import type { BeginRun, LogBatch } from '../../../core/ports/store.ts';
import type { Run } from '../../../core/run.ts';
import { migrate } from '../sql/migrations.ts';
import type { Connection } from './database.ts';
import { openDatabase } from './database.ts';
import { flatBatchOf } from './flat-batch.ts';
import type { GroupCommit } from './group-commit.ts';
import { groupCommit } from './group-commit.ts';
import { liveLog } from './live-log.ts';
import { liveRows } from './live-rows.ts';
import type { Call, OperationName } from './protocol.ts';
import { sessionOf, statementsOn } from './statements.ts';

let dir: string;
let connection: Connection;
let commits: GroupCommit;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'polylogue-commit-'));
  connection = openDatabase(dir);
  const statements = statementsOn(connection.database);
  const session = sessionOf(statements);
  await migrate(session);
  commits = groupCommit(connection, { session, log: liveLog(liveRows(statements)) });
});

afterEach(() => {
  connection.close();
  rmSync(dir, { recursive: true, force: true });
});

const call = (id: number, operation: OperationName, ...input: readonly unknown[]): Call => ({ id, operation, input });

async function runOf(input: BeginRun): Promise<Run> {
  const [outcome] = await commits.run([call(0, 'beginRun', input)]);
  if (outcome === undefined || 'error' in outcome) throw new Error('The run did not begin.');
  return (outcome.value as { run: Run }).run;
}

const batchOf = (run: Run, durable: boolean): LogBatch => ({
  now: 1,
  segments: [segment(run, 2, ['delta'])],
  waits: [],
  ends: [],
  durable,
  lease: null,
});

const syncNow = (): unknown => connection.database.prepare('PRAGMA synchronous').get()?.synchronous;

test('nothing of a batch is answered as done when its commit fails', async () => {
  const run = await runOf(beginning());
  // A constraint that is checked only at the commit, which therefore fails while every call has succeeded.
  connection.database.exec(`PRAGMA foreign_keys = ON;
    CREATE TABLE broken (thread TEXT REFERENCES applications (id) DEFERRABLE INITIALLY DEFERRED);
    CREATE TRIGGER break AFTER INSERT ON threads BEGIN INSERT INTO broken VALUES ('nobody'); END`);
  const input = beginning();
  const outcomes = await commits.run([
    call(1, 'appendLog', flatBatchOf(batchOf(run, true))),
    call(2, 'beginRun', input),
    call(3, 'findRun', ann, input.names.runId),
  ]);
  expect(outcomes.map((outcome) => 'error' in outcome)).toEqual([true, true, true]);
  connection.database.exec('DROP TRIGGER break');
  const [found, page, ended] = await commits.run([
    call(4, 'findRun', ann, input.names.runId),
    call(5, 'readLog', { runId: run.id, after: 1, maxBytes: 99 }),
    call(6, 'appendLog', flatBatchOf({ now: 1, segments: [], waits: [], ends: [ending(run, 2)], durable: true, lease: null })),
  ]);
  expect(found).toEqual({ id: 4, value: null });
  expect(page).toEqual({ id: 5, value: { events: [], ended: false } });
  expect(ended).toEqual({ id: 6, value: { fenced: [], started: [] } });
});

test('only batches of mere deltas leave their sync to a later one', async () => {
  const run = await runOf(beginning());
  expect(syncNow()).toBe(2);
  await commits.run([call(1, 'appendLog', flatBatchOf(batchOf(run, false))), call(2, 'findRun', ann, run.id)]);
  expect(syncNow()).toBe(1);
  await commits.run([call(3, 'appendLog', flatBatchOf(batchOf(run, false))), call(4, 'appendLog', flatBatchOf(batchOf(run, true)))]);
  expect(syncNow()).toBe(2);
});

test.each([1, 4, 16])(
  'a full disk is the fault of the machine, and the same %i segments are written when there is room again',
  async (count) => {
    const run = await runOf(beginning());
    const text = { type: 'text.appended', message_id: run.answerId, text: 'x'.repeat(100_000), at: 0 } as const;
    const segments = Array.from({ length: count }, (_, index) => segment(run, 2 + index, [text]));
    const batch = flatBatchOf({ ...batchOf(run, true), segments });
    const pages = Number(connection.database.prepare('PRAGMA page_count').get()?.page_count);
    connection.database.exec(`PRAGMA max_page_count = ${pages + 1}`);
    const [refused, read] = await commits.run([call(1, 'appendLog', batch), call(2, 'findRun', ann, run.id)]);
    expect(refused).toMatchObject({ id: 1, unavailable: 'SQLITE_FULL' });
    expect(read).toMatchObject({ id: 2, value: { id: run.id } });
    connection.database.exec('PRAGMA max_page_count = 1000000');
    expect(await commits.run([call(3, 'appendLog', batch)])).toEqual([{ id: 3, value: { fenced: [], started: [] } }]);
  },
);
