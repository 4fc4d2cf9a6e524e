import type { ThreadFilter } from '../../../core/ports/thread-query.ts';
import type { Owner } from '../../../core/principal.ts';
import type { Db } from '../sql/db.ts';
import { operationKinds, operationNames } from '../sql/operation-kinds.ts';
import { indexQueued, queuedTexts } from '../sql/search-queue.ts';
import type { Session } from '../sql/session.ts';
import { storeOperations } from '../sql/store-operations.ts';
import type { Connection, Sync } from './database.ts';
import { batchOf, type FlatBatch } from './flat-batch.ts';
import type { LiveLog } from './live-log.ts';
import { type Call, failed, type Outcome } from './protocol.ts';

const readings: ReadonlySet<Call['operation']> = new Set(operationNames.filter((name) => operationKinds[name] === 'reads'));

/** Frequent calls that leave it to the log who may write to a run; any other write may change that. */
const keepingWriters: ReadonlySet<Call['operation']> = new Set<Call['operation']>([
  ...readings,
  ...(['appendLog', 'beginRun', 'createThread', 'putCheckpoints', 'renewLeases', 'touchKeys'] as const),
]);

type Operation = (...input: readonly unknown[]) => Promise<unknown>;

/** Runs batches of calls, the writes of each in one transaction, in which one call's failure is its own. */
export interface GroupCommit {
  run(calls: readonly Call[]): Promise<readonly Outcome[]>;
  /** Removes some of what ended runs have left behind: what is due between two batches, or for as long as it gives true, all of it. */
  clear(which: 'due' | 'all'): boolean;
  /** Brings some of the texts that wait into the search index, in a transaction: when many do, or for as long as it gives true, all of them. */
  index(which: 'due' | 'all'): Promise<boolean>;
}

/** Texts that enter the index in one transaction: some milliseconds, and a twentieth of what they cost one by one. */
const TEXTS_PER_STEP = 64;

/** Batches must not overlap: the caller waits for one before it gives the next. */
export function groupCommit(connection: Connection, db: Db & { readonly log: LiveLog }): GroupCommit {
  const { database } = connection;
  const operations = operationsOn(connection, db);

  const answer = async (call: Call): Promise<unknown> => {
    const operation = operations[call.operation];
    if (operation === undefined) throw new Error(`The store has no operation ${call.operation}.`);
    if (searches(call)) while ((await queuedTexts(db.session)) > 0) await indexQueued(db.session, TEXTS_PER_STEP);
    return operation(...call.input);
  };

  const perform = async (call: Call): Promise<Outcome> => {
    try {
      return { id: call.id, value: await answer(call) };
    } catch (error) {
      return failed(call.id, error);
    } finally {
      if (!keepingWriters.has(call.operation)) db.log.forgetWriters();
    }
  };

  const performApart = async (call: Call): Promise<Outcome> => {
    connection.steer('SAVEPOINT call');
    const { mark } = db.log.transaction;
    const outcome = await perform(call);
    if ('error' in outcome) {
      // Some failures of the machine end the transaction themselves.
      if (!database.isTransaction) throw outcome.error;
      database.exec('ROLLBACK TO call; RELEASE call');
      db.log.transaction.undo(mark);
    } else {
      connection.steer('RELEASE call');
    }
    return outcome;
  };

  const transaction = async (calls: readonly Call[]): Promise<readonly Outcome[]> => {
    connection.setSync(syncFor(calls));
    connection.steer('BEGIN IMMEDIATE');
    const outcomes: Outcome[] = [];
    const one = calls.length === 1;
    for (const call of calls) outcomes.push(await (one || readings.has(call.operation) ? perform(call) : performApart(call)));
    const [first] = outcomes;
    if (one && first !== undefined && 'error' in first) throw first.error;
    connection.steer('COMMIT');
    db.log.transaction.settle();
    return outcomes;
  };

  const abandon = (calls: readonly Call[], cause: unknown): readonly Outcome[] => {
    if (database.isTransaction) database.exec('ROLLBACK');
    db.log.transaction.undo(0);
    return calls.map((call) => failed(call.id, cause));
  };

  const index = (which: 'due' | 'all') => indexSome(connection, db.session, which === 'due' ? TEXTS_PER_STEP : 1);

  return {
    clear: (which) => (which === 'all' || db.log.clearing) && clear(connection, db.log, which),
    index,
    run: async (calls) => {
      const readsOnly = calls.every((call) => readings.has(call.operation));
      if (readsOnly && !(calls.some(searches) && (await queuedTexts(db.session)) > 0)) return Promise.all(calls.map(perform));
      try {
        return await transaction(calls);
      } catch (error) {
        return abandon(calls, error);
      }
    },
  };
}

function operationsOn({ database }: Connection, db: Db): Readonly<Record<string, Operation>> {
  const sql = storeOperations(db);
  return {
    ...(sql as unknown as Readonly<Record<string, Operation>>),
    appendLog: (flat) => sql.appendLog(batchOf(flat as FlatBatch)),
    // A store that can only be read is not ready: this writes the mark by which `file` tells what the data file is ("PLLG").
    ping: async () => database.exec('PRAGMA application_id = 0x504c4c47'),
  };
}

/** Whether a call looks for words: what was stored before it must be in the index then. */
function searches({ operation, input }: Call): boolean {
  if (operation !== 'listThreads' && operation !== 'countThreads') return false;
  const [, filter] = input as readonly [Owner, ThreadFilter];
  return filter.words !== undefined;
}

/** Brings texts into the index if at least so many wait. */
async function indexSome({ database, setSync, steer }: Connection, session: Session, least: number): Promise<boolean> {
  if ((await queuedTexts(session)) < least) return false;
  setSync('normal');
  steer('BEGIN IMMEDIATE');
  try {
    await indexQueued(session, TEXTS_PER_STEP);
    steer('COMMIT');
    return true;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function clear({ database, setSync, steer }: Connection, log: LiveLog, which: 'due' | 'all'): boolean {
  setSync('normal');
  steer('BEGIN IMMEDIATE');
  try {
    const settle = log.clear(which);
    steer('COMMIT');
    settle?.();
    return settle !== null;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function syncFor(calls: readonly Call[]): Sync {
  return calls.every((call) => readings.has(call.operation) || mayBeLost(call)) ? 'normal' : 'full';
}

/** What a crash of the machine may take back: mere deltas, and when keys were last used. */
function mayBeLost(call: Call): boolean {
  if (call.operation === 'touchKeys') return true;
  if (call.operation !== 'appendLog') return false;
  const [batch] = call.input as readonly [FlatBatch];
  return !batch.durable;
}
