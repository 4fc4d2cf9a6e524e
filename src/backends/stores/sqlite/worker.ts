import type { MessagePort } from 'node:worker_threads';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { migrate } from '../sql/migrations.ts';
import { openDatabase } from './database.ts';
import { deletions } from './deletions.ts';
import { groupCommit } from './group-commit.ts';
import { StoreInUse } from './in-use.ts';
import { liveLog } from './live-log.ts';
import { liveRows } from './live-rows.ts';
import type { Call, Opened, Outcome } from './protocol.ts';
import { sessionOf, statementsOn } from './statements.ts';
import { startUpkeep } from './upkeep.ts';

const CALLS_PER_TRANSACTION = 512;
/** What is answered only when no copy of what it removed is left; `false` and `null` say that there was nothing to remove. */
const REMOVALS: ReadonlySet<Call['operation']> = new Set<Call['operation']>([
  'purgeThread',
  'deletePrompt',
  'deleteAgent',
  'removeAttachment',
  'forgetContents',
]);

/** Data of the worker: where the store lies. */
export interface WorkerData {
  readonly dataDir: string;
}

async function open(dataDir: string) {
  const connection = openDatabase(dataDir);
  try {
    const statements = statementsOn(connection.database);
    const session = sessionOf(statements);
    connection.database.exec('BEGIN IMMEDIATE');
    await migrate(session);
    connection.database.exec('COMMIT');
    const log = liveLog(liveRows(statements));
    return { connection, commits: groupCommit(connection, { session, log }) };
  } catch (error) {
    if (connection.database.isTransaction) connection.database.exec('ROLLBACK');
    connection.close();
    throw error;
  }
}

/** Everything that waits at the port, up to a bound that keeps answers from waiting long. */
function drain(port: MessagePort, first: readonly Call[]): readonly Call[] {
  const calls = [...first];
  while (calls.length < CALLS_PER_TRANSACTION) {
    const received: { message: readonly Call[] } | undefined = receiveMessageOnPort(port);
    if (received === undefined) break;
    calls.push(...received.message);
  }
  return calls;
}

/** The outcomes of calls that have removed something. */
function removalsOf(calls: readonly Call[], outcomes: readonly Outcome[]): readonly Outcome[] {
  const ids = calls.filter((call) => REMOVALS.has(call.operation)).map((call) => call.id);
  if (ids.length === 0) return [];
  return outcomes.filter((outcome) => ids.includes(outcome.id) && 'value' in outcome && outcome.value !== false && outcome.value !== null);
}

function serve(port: MessagePort, opened: Awaited<ReturnType<typeof open>>): void {
  const { connection, commits } = opened;
  const answer = (outcomes: readonly Outcome[]): void => {
    if (outcomes.length > 0) port.postMessage(outcomes);
  };
  const deleting = deletions(connection, answer);
  const upkeep = startUpkeep(connection, commits);
  let waiting: Call[] = [];
  let busy = false;
  const finish = (call: Call): void => {
    upkeep.finish();
    deleting.finish();
    connection.close();
    answer([{ id: call.id, value: undefined }]);
    port.close();
  };
  const work = async (): Promise<void> => {
    busy = true;
    while (waiting.length > 0) {
      const calls = waiting;
      waiting = [];
      const outcomes = await commits.run(calls.filter((call) => call.operation !== 'close'));
      const removals = removalsOf(calls, outcomes);
      answer(removals.length === 0 ? outcomes : outcomes.filter((outcome) => !removals.includes(outcome)));
      deleting.clear(removals);
      // Node hands over messages before it runs what waits for the next turn: with many of them a deletion would never go on.
      deleting.step();
      await upkeep.afterBatch(calls);
      const last = calls.find((call) => call.operation === 'close');
      if (last !== undefined) return finish(last);
    }
    busy = false;
  };
  port.on('message', (message: readonly Call[]) => {
    waiting.push(...drain(port, message));
    if (!busy) void work();
  });
}

async function start(port: MessagePort): Promise<void> {
  const tell = (opened: Opened): void => port.postMessage(opened);
  try {
    const opened = await open((workerData as WorkerData).dataDir);
    serve(port, opened);
    tell({ opened: true });
    // What opening leaves behind is a third of all that this thread then has.
    globalThis.gc?.({ type: 'major', flavor: 'last-resort' });
  } catch (error) {
    tell({ opened: false, reason: error instanceof Error ? error.message : String(error), inUse: error instanceof StoreInUse });
  }
}

if (parentPort === null) throw new Error('This module runs only as a worker thread.');
await start(parentPort);
