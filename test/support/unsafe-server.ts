import { setTimeout as sleep } from 'node:timers/promises';
import { startApp } from '../../src/app.ts';
import { createLogger } from '../../src/backends/logger/create-logger.ts';
import { openPostgresStore } from '../../src/backends/stores/postgres/index.ts';
import { openSqliteStore } from '../../src/backends/stores/sqlite/index.ts';
import { loadConfig } from '../../src/config.ts';
import type { LogBatchResult, Store } from '../../src/core/ports/store.ts';

const LATE_MS = 500;

/** A store that says it has stored text half a second before it does: what a server is that delivers first and commits later. */
function hasty(store: Store): Store {
  let tail: Promise<unknown> = Promise.resolve();
  return {
    ...store,
    async appendLog(batch): Promise<LogBatchResult> {
      const before = tail;
      if (batch.ends.length > 0) {
        await before;
        return store.appendLog(batch);
      }
      const due = sleep(LATE_MS);
      tail = Promise.all([before, due]).then(() => store.appendLog(batch));
      return { fenced: [], started: [] };
    },
  };
}

// A whole server of the wrong kind, to see that the proofs notice.
const config = loadConfig({ env: process.env, cwd: process.cwd() });
const log = createLogger(config.logLevel);
const { databaseUrl: url, dataDir } = config;
const store = url === null ? await openSqliteStore({ dataDir }) : await openPostgresStore({ url, log });
const app = await startApp(config, { log, store: hasty(store) });
log.info({ url: app.url }, `listening on ${app.url}`);
