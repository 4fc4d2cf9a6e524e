import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isBusy, storeInUse } from './in-use.ts';

/**
 * The version of the data in a directory, which stays as it is; null when there is none yet. Throws a `StoreInUse` when another process has
 * it. Not for a process that has the store open itself: closing a file gives up all locks on it.
 */
export function readSqliteVersion(dataDir: string): number | null {
  const file = join(dataDir, 'polylogue.db');
  if (!existsSync(file)) return null;
  const database = new DatabaseSync(file);
  try {
    database.exec('PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE');
    const table = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'schema_versions'").get();
    if (table === undefined) return null;
    const version = database.prepare('SELECT max(version) AS version FROM schema_versions').get()?.version;
    return typeof version === 'number' ? version : null;
  } catch (error) {
    throw isBusy(error) ? storeInUse(dataDir, error) : error;
  } finally {
    database.close();
  }
}
