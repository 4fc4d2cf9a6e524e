import type { Logger } from 'pino';
import { openSqliteStore } from '../backends/stores/sqlite/index.ts';
import type { Config } from '../config.ts';
import type { Store } from '../core/ports/store.ts';

/** The store that the settings name. Rejects with a sentence for the operator. */
export async function openStore({ databaseUrl, dataDir }: Config, log: Logger, onDeath?: (error: Error) => void): Promise<Store> {
  if (databaseUrl === null) return openSqliteStore({ dataDir, onDeath });
  const { openPostgresStore } = await import('../backends/stores/postgres/index.ts');
  return openPostgresStore({ url: databaseUrl, log });
}
