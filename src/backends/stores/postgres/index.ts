import { storeUnavailable } from '../../../core/errors.ts';
import type { LogBatch, LogBatchResult, Store } from '../../../core/ports/store.ts';
import { lockBeginnings } from '../sql/begin-run.ts';
import { operationKinds, operationNames } from '../sql/operation-kinds.ts';
import { liveEvents } from '../sql/run-log.ts';
import type { StoreOperations } from '../sql/store-operations.ts';
import { storeOperations } from '../sql/store-operations.ts';
import { appendLog } from './append-log.ts';
import { type Beginnings, createBeginnings } from './beginnings.ts';
import { type Connection, type ConnectionOptions, openConnection } from './connection.ts';
import {
  createDatabaseClock,
  type DatabaseClock,
  type ServerClock,
  serverClock,
  shiftedLease,
  withShiftedLeases,
} from './database-clock.ts';
import { ConnectionLost, callersError } from './failures.ts';
import { createFirstStatistics, type FirstStatistics } from './first-statistics.ts';
import { gatherInserts } from './gathered-inserts.ts';
import { openHints } from './hints.ts';
import { createKnownEnds, type KnownEnds } from './known-ends.ts';
import { createLane, type Lane } from './lane.ts';
import { addSegments, liveLog, refusedOf } from './live-log.ts';
import { prepareDatabase } from './open-database.ts';
import { purgeClosed } from './purge.ts';
import type { StoreLog } from './store-log.ts';
import { atOnce, awaitAppends, inTransaction } from './transaction.ts';

const READING_CONNECTIONS = 4;
const WRITING_CONNECTIONS = 4;

type Name = keyof StoreOperations;

interface Lanes {
  readonly reads: Lane;
  readonly writes: Lane;
  /** One at a time: flushes of mere deltas never wait for a turn's locks. */
  readonly deltas: Lane;
}

interface PostgresOptions {
  readonly url: string;
  readonly log: StoreLog;
  /** What tells this server's time, which need not be the database's. */
  readonly clock?: ServerClock;
}

/**
 * The store on a PostgreSQL server, which many servers may share. Rejects with a sentence for the operator when it cannot be used. Later a
 * lost connection costs only the calls that were on it, and the next ones connect again.
 */
export async function openPostgresStore({ url, log, clock = serverClock }: PostgresOptions): Promise<Store> {
  await prepareDatabase(url, log);
  const time = createDatabaseClock(clock);
  const connect = () => openMeasured(url, time);
  const connectToWrite = () => openMeasured(url, time, { keepsPlans: true });
  const lanes: Lanes = {
    reads: createLane(connect, READING_CONNECTIONS),
    writes: createLane(connectToWrite, WRITING_CONNECTIONS),
    deltas: createLane(connectToWrite, 1),
  };
  const hints = await openHints({ connect, log });
  let closing: Promise<void> | null = null;
  const beginnings = beginningsOver(lanes, time);
  const close = async () => {
    await beginnings.stored();
    await Promise.all([hints.close(), lanes.reads.close(), lanes.writes.close(), lanes.deltas.close()]);
  };
  return {
    ...whileOpen(operationsOver(lanes, time, { beginnings, statistics: createFirstStatistics(lanes.reads, log) }), () => closing === null),
    capabilities: { shared: true },
    hints,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

async function openMeasured(url: string, time: DatabaseClock, options: ConnectionOptions = {}): Promise<Connection> {
  const connection = await openConnection(url, options);
  try {
    await time.measure(connection.session);
    return connection;
  } catch (error) {
    await connection.close();
    throw error;
  }
}

function operationsOn({ session }: Pick<Connection, 'session'>): StoreOperations {
  return storeOperations({ session, log: liveLog(session) });
}

async function leasingOn(connection: Pick<Connection, 'session'>, time: DatabaseClock): Promise<StoreOperations> {
  return withShiftedLeases(operationsOn(connection), await time.shift(connection.session));
}

function beginningsOver({ writes }: Lanes, time: DatabaseClock): Beginnings {
  return createBeginnings({
    alone: (input) => inTransaction(writes, 'plain', async (connection) => (await leasingOn(connection, time)).beginRun(input)),
    together: (inputs) =>
      inTransaction(writes, 'plain', async (connection) => {
        const { session, post } = gatherInserts(connection.session);
        await lockBeginnings(session, inputs);
        const operations = await leasingOn({ session: { ...session, shared: true } }, time);
        const results = await allOrNothing(inputs.map((input) => operations.beginRun(input)));
        post();
        return results;
      }),
  });
}

interface Helpers {
  readonly beginnings: Beginnings;
  readonly statistics: FirstStatistics;
}

function operationsOver(lanes: Lanes, time: DatabaseClock, { beginnings, statistics }: Helpers): StoreOperations {
  const ends = createKnownEnds();
  const reading = callOf((work) => reliably(() => lanes.reads.run((connection) => work(operationsOn(connection)))));
  const writing = callOf((work) => inTransaction(lanes.writes, 'plain', async (connection) => work(await leasingOn(connection, time))));
  const plain = operationNames.map((name) => [name, operationKinds[name] === 'reads' ? reading(name) : writing(name)]);
  return {
    ...(Object.fromEntries(plain) as StoreOperations),
    async beginRun(input) {
      const result = await beginnings.begin(input);
      if (result.kind !== 'begun') return result;
      if (result.run.status === 'running') ends.begun(result.run);
      statistics.begun();
      return result;
    },
    purgeThread: (key) => purgeClosed(lanes.writes, key),
    takeLost: (input) => takeLost(lanes, writing('takeLost'), input),
    appendLog: appending(lanes, time, ends),
    readLog: (input) => readLog(reading('readLog'), input),
    ping: () => reliably(() => lanes.reads.run(refuseReadOnly)),
  };
}

/** When one fails, the others have still to be done with their statements, which fail because of the first. */
async function allOrNothing<T>(calls: readonly Promise<T>[]): Promise<readonly T[]> {
  const all = Promise.all(calls);
  await Promise.allSettled([all, ...calls]);
  return all;
}

/** Flushes of mere deltas in one round trip. */
function appending(lanes: Lanes, time: DatabaseClock, ends: KnownEnds): StoreOperations['appendLog'] {
  const appendDeltas = async ({ segments }: LogBatch): Promise<LogBatchResult> => {
    const added = await atOnce(lanes.deltas, 'appending', ({ session }) => addSegments(session, segments, ends));
    if (added) return { fenced: [], started: [] };
    const refused = await lanes.deltas.run(({ session }) => refusedOf(session, segments));
    return { fenced: refused.map(({ runId }) => runId), started: [] };
  };
  const appendAll = (batch: LogBatch): Promise<LogBatchResult> =>
    inTransaction(isMoreThanDeltas(batch) ? lanes.writes : lanes.deltas, 'appending', async ({ session }) => {
      const lease = batch.lease && shiftedLease(batch.lease, await time.shift(session));
      return appendLog(session, ends, { ...batch, lease });
    });
  return async (batch) => {
    const runs = new Set(batch.segments.map(({ runId }) => runId));
    const simple = !isMoreThanDeltas(batch) && runs.size === batch.segments.length;
    try {
      const result = await (simple ? appendDeltas(batch) : appendAll(batch));
      ends.note(batch, result);
      return result;
    } catch (error) {
      ends.note(batch, null);
      throw error;
    }
  };
}

function isMoreThanDeltas({ waits, ends }: LogBatch): boolean {
  return waits.length + ends.length > 0;
}

/** A server that takes no writes, such as a standby, is not ready. */
async function refuseReadOnly({ session }: Connection): Promise<void> {
  const [row] = await session.all("select 1 where pg_is_in_recovery() or current_setting('transaction_read_only') = 'on'", []);
  if (row !== undefined) throw storeUnavailable(new Error('PostgreSQL takes no writes.'));
}

/** The former owners may have appended until just now: what they appended is read once none of them can append any more. */
async function takeLost(lanes: Lanes, take: StoreOperations['takeLost'], input: Parameters<StoreOperations['takeLost']>[0]) {
  const lost = await take(input);
  if (lost.length === 0) return lost;
  await awaitAppends(lanes.writes);
  return reliably(() =>
    lanes.reads.run(async ({ session }) => {
      const complete = [];
      for (const { run } of lost) complete.push({ run, events: await liveEvents({ session, log: liveLog(session) }, run.id) });
      return complete;
    }),
  );
}

/** A log that is packed between the looks at both of its places seems empty and over: the second time it lies where it stays. */
async function readLog(read: StoreOperations['readLog'], input: Parameters<StoreOperations['readLog']>[0]) {
  const page = await read(input);
  return page.ended && page.events.length === 0 ? read(input) : page;
}

type Runner = <T>(work: (operations: StoreOperations) => Promise<T>) => Promise<T>;

function callOf(run: Runner) {
  return <N extends Name>(name: N): StoreOperations[N] => {
    const call = (...input: never[]) =>
      run<unknown>((operations) => (operations[name] as (...given: never[]) => Promise<unknown>)(...input));
    return call as StoreOperations[N];
  };
}

/** Reads once more when the connection turned out to be lost. */
async function reliably<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof ConnectionLost)) throw error;
    return read();
  }
}

/** Every call, refused once the store is closed, with failures in the words of the port. */
function whileOpen(operations: StoreOperations, isOpen: () => boolean): StoreOperations {
  const guarded = Object.entries(operations).map(([name, operation]) => {
    const call = async (...input: never[]) => {
      if (!isOpen()) throw storeUnavailable(new Error('The store is closed.'));
      try {
        return await (operation as (...given: never[]) => Promise<unknown>)(...input);
      } catch (error) {
        throw callersError(error);
      }
    };
    return [name, call];
  });
  return Object.fromEntries(guarded) as StoreOperations;
}
