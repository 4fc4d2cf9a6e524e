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

/** Does the work in one transaction, again when PostgreSQL ended it because of others; rejects with nothing written, or with a lost connection. */
export async function inTransaction<T>(lane: Lane, beginning: Beginning, work: (connection: Connection) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await lane.run((connection) => transaction(connection, beginning, work));
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

async function transaction<T>(connection: Connection, beginning: Beginning, work: (connection: Connection) => Promise<T>): Promise<T> {
  try {
    await connection.execute(BEGINNINGS[beginning]);
    const result = await work(connection);
    await connection.execute('commit');
    return result;
  } catch (error) {
    if (connection.usable) await rollBack(connection);
    throw error;
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
