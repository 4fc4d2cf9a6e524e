import type { LogBatch } from '../../../core/ports/store.ts';
import type { Db } from '../sql/db.ts';
import { storeOperations } from '../sql/store-operations.ts';
import type { Connection, Sync } from './database.ts';
import type { LiveLog } from './live-log.ts';
import { type Call, failed, type OperationName, type Outcome } from './protocol.ts';

const readings: ReadonlySet<Call['operation']> = new Set<OperationName>([
  'findThread',
  'ownersOfThread',
  'listThreads',
  'countThreads',
  'measureThread',
  'listThreadEvents',
  'lastThreadEvent',
  'listMessages',
  'contextOf',
  'findMessage',
  'refusalToBegin',
  'findRun',
  'findRunInApplication',
  'countUnfinished',
  'activeRun',
  'liveRunOf',
  'readLog',
  'listApplications',
  'findApplication',
  'findKeyByDigest',
  'findKeys',
  'listKeys',
  'accessVersion',
]);

type Operation = (...input: readonly unknown[]) => Promise<unknown>;

/** Runs batches of calls, the writes of each in one transaction, in which one call's failure is its own. */
export interface GroupCommit {
  run(calls: readonly Call[]): Promise<readonly Outcome[]>;
}

/** Batches must not overlap: the caller waits for one before it gives the next. */
export function groupCommit(connection: Connection, db: Db & { readonly log: LiveLog }): GroupCommit {
  const { database } = connection;
  const operations: Readonly<Record<string, Operation>> = {
    ...(storeOperations(db) as unknown as Readonly<Record<string, Operation>>),
    // A store that can only be read is not ready: this writes the mark by which `file` tells what the data file is ("PLLG").
    ping: async () => database.exec('PRAGMA application_id = 0x504c4c47'),
  };

  const answer = async (call: Call): Promise<unknown> => {
    const operation = operations[call.operation];
    if (operation === undefined) throw new Error(`The store has no operation ${call.operation}.`);
    return operation(...call.input);
  };

  const read = async (call: Call): Promise<Outcome> => {
    try {
      return { id: call.id, value: await answer(call) };
    } catch (error) {
      return failed(call.id, error);
    }
  };

  const write = async (call: Call): Promise<Outcome> => {
    database.exec('SAVEPOINT call');
    const outcome = await read(call);
    if ('error' in outcome) {
      database.exec('ROLLBACK TO call; RELEASE call');
      await db.log.reload();
    } else {
      database.exec('RELEASE call');
    }
    return outcome;
  };

  const transaction = async (calls: readonly Call[]): Promise<readonly Outcome[]> => {
    connection.setSync(syncFor(calls));
    database.exec('BEGIN IMMEDIATE');
    const outcomes: Outcome[] = [];
    for (const call of calls) outcomes.push(await (readings.has(call.operation) ? read(call) : write(call)));
    database.exec('COMMIT');
    return outcomes;
  };

  const abandon = async (calls: readonly Call[], cause: unknown): Promise<readonly Outcome[]> => {
    if (database.isTransaction) database.exec('ROLLBACK');
    await db.log.reload();
    return calls.map((call) => failed(call.id, cause));
  };

  return {
    run: async (calls) => {
      if (calls.every((call) => readings.has(call.operation))) return Promise.all(calls.map(read));
      try {
        return await transaction(calls);
      } catch (error) {
        return abandon(calls, error);
      }
    },
  };
}

function syncFor(calls: readonly Call[]): Sync {
  return calls.every((call) => readings.has(call.operation) || mayBeLost(call)) ? 'normal' : 'full';
}

/** What a crash of the machine may take back: mere deltas, and when keys were last used. */
function mayBeLost(call: Call): boolean {
  if (call.operation === 'touchKeys') return true;
  if (call.operation !== 'appendLog') return false;
  const [batch] = call.input as readonly [LogBatch];
  return !batch.durable;
}
