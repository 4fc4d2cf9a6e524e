import type { Logger } from 'pino';
import { systemClock } from '../backends/clock/system-clock.ts';
import { StoreInUse } from '../backends/stores/sqlite/in-use.ts';
import { openSqliteStore } from '../backends/stores/sqlite/index.ts';
import type { Config } from '../config.ts';
import type { Store } from '../core/ports/store.ts';

/** How long a server that starts waits for a command that has the embedded store. */
const PATIENCE_MS = 5_000;
const PAUSE_MS = 100;

/** The store that the settings name. Rejects with a sentence for the operator. */
export async function openStore({ databaseUrl, dataDir }: Config, log: Logger, onDeath?: (error: Error) => void): Promise<Store> {
  if (databaseUrl === null) return openSqliteStore({ dataDir, onDeath });
  const { openPostgresStore } = await import('../backends/stores/postgres/index.ts');
  return openPostgresStore({ url: databaseUrl, log });
}

/** The same for a server, which waits for a command that is using the store at this moment. */
export async function openStoreWhenFree(config: Config, log: Logger, onDeath?: (error: Error) => void): Promise<Store> {
  const until = systemClock.elapsed() + PATIENCE_MS;
  for (;;) {
    try {
      return await openStore(config, log, onDeath);
    } catch (error) {
      if (!(error instanceof StoreInUse) || systemClock.elapsed() > until) throw error;
    }
    await systemClock.sleep(PAUSE_MS);
  }
}
