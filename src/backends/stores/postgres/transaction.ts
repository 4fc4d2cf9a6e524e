import type { Connection } from './connection.ts';
import { isPassing } from './failures.ts';
import type { Lane } from './lane.ts';

const ATTEMPTS = 4;

/** Two keys of an advisory lock: "poly", and what it is about. */
const APPENDING = '1886350457, 1';

/** How a transaction begins: `appending` for those that write to logs of running runs, which `awaitAppends` waits for. */
type Beginning = 'plain' | 'appending';

const BEGINNINGS: Readonly<Record<Beginning, string>> = {
  plain: 'begin',
  appending: `begin; select pg_advisory_xact_lock_shared(${APPENDING})`,
};

/** Does something on a connection. */
export type Work<T> = (connection: Connection) => Promise<T>;

interface Form {
  readonly beginning: Beginning;
  /** The work sends everything at once, before it waits, so that the commit can go with it. */
  readonly together: boolean;
}

/** Does the work in one transaction, again when PostgreSQL ended it because of others; rejects with nothing written, or with a lost connection. */
export function inTransaction<T>(lane: Lane, beginning: Beginning, work: Work<T>): Promise<T> {
  return repeatedly(lane, { beginning, together: false }, work);
}

/** The same in one round trip, for work that sends everything at once, before it waits. */
export function atOnce<T>(lane: Lane, beginning: Beginning, work: Work<T>): Promise<T> {
  return repeatedly(lane, { beginning, together: true }, work);
}

async function repeatedly<T>(lane: Lane, form: Form, work: Work<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await lane.run((connection) => transaction(connection, form, work));
    } catch (error) {
      if (attempt === ATTEMPTS || !isPassing(error)) throw error;
    }
  }
}

/**
 * Resolves when every append that may not yet know of an earlier transaction has ended. What a run's log holds afterwards is all that its
 * former owner, or the thread's, will ever have written: it costs a flush one shared lock, where a lock on each run would cost many.
 */
export function awaitAppends(lane: Lane): Promise<void> {
  return inTransaction(lane, 'plain', (connection) => connection.execute(`select pg_advisory_xact_lock(${APPENDING})`));
}

async function transaction<T>(connection: Connection, { beginning, together }: Form, work: Work<T>): Promise<T> {
  try {
    connection.post(BEGINNINGS[beginning]);
    const working = work(connection);
    const result = together ? working : await working;
    // If something that was posted has failed, this rolls back.
    connection.post('commit');
    await Promise.all([result, connection.settle()]);
    return await result;
  } catch (error) {
    const cause = await firstFailure(connection, error);
    if (connection.usable) await rollBack(connection);
    throw cause;
  }
}

/** What failed behind a posted statement failed because of that one. */
async function firstFailure(connection: Connection, error: unknown): Promise<unknown> {
  try {
    await connection.settle();
    return error;
  } catch (earlier) {
    return earlier;
  }
}

/** The first error counts: a connection that cannot even roll back is closed, which rolls back too. */
async function rollBack(connection: Connection): Promise<void> {
  try {
    await connection.execute('rollback');
  } catch {
    await connection.close();
  }
}
