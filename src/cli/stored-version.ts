import { readSqliteVersion } from '../backends/stores/sqlite/stored-version.ts';
import type { Config } from '../config.ts';

/** The version of the stored data, which stays as it is; null when there is none yet. Rejects with a sentence for the operator. */
export async function readStoredVersion({ databaseUrl, dataDir }: Config): Promise<number | null> {
  if (databaseUrl === null) return readSqliteVersion(dataDir);
  const { readPostgresVersion } = await import('../backends/stores/postgres/stored-version.ts');
  return readPostgresVersion(databaseUrl);
}
