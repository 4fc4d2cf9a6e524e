import { migrate } from '../sql/migrations.ts';
import { addressOf, openConnection } from './connection.ts';
import { openingFailure } from './failures.ts';
import { shareViews } from './shared-views.ts';
import type { StoreLog } from './store-log.ts';

const OLDEST_VERSION = 150_000;
/** Two keys of an advisory lock: "poly", and what it is about. */
const MIGRATING = '1886350457, 2';

/** Brings the database to this program's version; servers that start together do it one after the other. Rejects with a sentence for the operator. */
export async function prepareDatabase(url: string, log: StoreLog): Promise<void> {
  const address = readAddress(url);
  try {
    const connection = await openConnection(url, { patient: true });
    try {
      await refuseUnfit(connection.session);
      await connection.execute(`begin; select pg_advisory_xact_lock(${MIGRATING})`);
      const [schema] = await connection.session.all("select 1 from pg_namespace where nspname = 'polylogue'", []);
      // Asked first, because CREATE SCHEMA IF NOT EXISTS wants the privilege even when there is nothing to create.
      if (schema === undefined) await connection.execute('create schema polylogue');
      await migrate(connection.session);
      await shareViews(connection, log);
      await connection.execute('commit');
    } finally {
      await connection.close();
    }
  } catch (error) {
    throw openingFailure(error, address);
  }
}

function readAddress(url: string) {
  try {
    return addressOf(url);
  } catch {
    // The cause would repeat the address with its password.
    throw new Error('DATABASE_URL cannot be read: it should look like postgresql://user:password@host:5432/database.');
  }
}

async function refuseUnfit(session: { all(sql: string, parameters: readonly unknown[]): Promise<readonly unknown[]> }): Promise<void> {
  const [row] = (await session.all(
    "select current_setting('server_version_num')::int as number, current_setting('server_version') as version, current_setting('server_encoding') as encoding",
    [],
  )) as readonly { number: number; version: string; encoding: string }[];
  if (row === undefined) throw new Error('it does not tell its version.');
  if (row.number < OLDEST_VERSION) throw new Error(`it is version ${row.version}, and 15 or newer is needed.`);
  if (row.encoding !== 'UTF8') throw new Error(`the database has the encoding ${row.encoding}: create it with ENCODING 'UTF8'.`);
}
