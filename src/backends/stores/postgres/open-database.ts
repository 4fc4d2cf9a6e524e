import { migrate } from '../sql/migrations.ts';
import { addressOf, openConnection } from './connection.ts';
import { openingFailure } from './failures.ts';
import { refuseUnfit } from './fitness.ts';
import { shareViews } from './shared-views.ts';
import type { StoreLog } from './store-log.ts';

/** Two keys of an advisory lock: "poly", and what it is about. */
const MIGRATING = '1886350457, 2';
const SCHEMA = "select pg_get_userbyid(nspowner) as owner from pg_namespace where nspname = 'polylogue'";

/** Brings the database to this program's version; servers that start together do it one after the other. Rejects with a sentence for the operator. */
export async function prepareDatabase(url: string, log: StoreLog): Promise<void> {
  const address = readAddress(url);
  let schemaOwner: string | null = null;
  try {
    const connection = await openConnection(url, { patient: true });
    try {
      await refuseUnfit(connection.session);
      await connection.execute(`begin; select pg_advisory_xact_lock(${MIGRATING})`);
      const [schema] = (await connection.session.all(SCHEMA, [])) as readonly { owner: string }[];
      schemaOwner = schema?.owner ?? null;
      // Asked first, because CREATE SCHEMA IF NOT EXISTS wants the privilege even when there is nothing to create.
      if (schema === undefined) await connection.execute('create schema polylogue');
      await migrate(connection.session);
      await shareViews(connection, log);
      await connection.execute('commit');
    } finally {
      await connection.close();
    }
  } catch (error) {
    throw openingFailure(error, { ...address, schemaOwner });
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
