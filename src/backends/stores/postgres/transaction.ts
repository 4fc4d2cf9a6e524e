import type { Connection } from './connection.ts';
import { isPassing } from './failures.ts';
import type { Lane } from './lane.ts';

const ATTEMPTS = 4;

/** Two keys of an advisory lock: "poly", and what it is about. */
const APPENDING = '1886350457, 1';

/** How a transaction begins: `appending` for those that write to logs of running runs, which `awaitAppends` waits for. */
type Beginning = 'plain' | 'appending';

const SHARE = `select pg_advisory_xact_lock_shared(${APPENDING})`;

/** Does something on a connection. */
export type Work<T> = (connection: Connection) => Promise<T>;

interface Form {
  readonly beginning: Beginning;
  /** The work asks for everything before it waits: one group of statements is a transaction by itself. */
  readonly together: boolean;
}

/** Does the work in one transaction, again when PostgreSQL ended it because of others; rejects with nothing written, or with a lost connection. */
export function inTransaction<T>(lane: Lane, beginning: Beginning, work: Work<T>): Promise<T> {
  return repeatedly(lane, { beginning, together: false }, work);
}

/** The same in one round trip, for work that asks for everything before it waits. */
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
export async function awaitAppends(lane: Lane): Promise<void> {
  await atOnce(lane, 'plain', ({ session }) => session.run(`select pg_advisory_xact_lock(${APPENDING})`, []));
}

async function transaction<T>(connection: Connection, { beginning, together }: Form, work: Work<T>): Promise<T> {
  const { session } = connection;
  try {
    if (!together) session.post('begin', []);
    if (beginning === 'appending') session.post(SHARE, []);
    const result = await work(connection);
    if (!together) await session.run('commit', []);
    return result;
  } catch (error) {
    if (connection.usable && !together) await rollBack(connection);
    throw error;
  }
}

/** The first error counts: a connection that cannot even roll back is closed, which rolls back too. */
async function rollBack(connection: Connection): Promise<void> {
  try {
    await connection.rollBack();
  } catch {
    await connection.close();
  }
}
