import { openStore } from '../app/store.ts';
import { createLogger } from '../backends/logger/create-logger.ts';
import { STORE_VERSION } from '../backends/stores/sql/migrations.ts';
import { loadConfig } from '../config.ts';
import type { ServerFacts } from '../http/control-wire.ts';
import { askServer } from './administration.ts';
import { prepareDataDirectory } from './data-directory.ts';
import { print } from './print.ts';
import { readStoredVersion } from './stored-version.ts';

/** Brings the data to this program's version and prints from which to which. Rejects while a server has the embedded store. */
export async function migrateStore(json: boolean | undefined): Promise<void> {
  const config = loadConfig({ env: process.env, cwd: process.cwd() });
  const server = config.databaseUrl === null ? await askServer<ServerFacts>({ method: 'GET', path: '/server' }) : null;
  if (server !== null) {
    throw new Error(
      `The server with process ${server.pid} has the data in ${config.dataDir}: stop it, and it migrates by itself at its next start.`,
    );
  }
  const from = await readStoredVersion(config);
  await prepareDataDirectory(config.dataDir);
  const store = await openStore(config, createLogger('silent'));
  await store.close();
  const result = { from, to: STORE_VERSION };
  await print(result, { json, words: wordsOf(result) });
}

function wordsOf({ from, to }: { from: number | null; to: number }): string {
  if (from === to) return `The data has version ${to} already.\n`;
  return from === null ? `The store is made, with version ${to}.\n` : `The data went from version ${from} to version ${to}.\n`;
}
