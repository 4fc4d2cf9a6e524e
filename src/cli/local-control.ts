import { openSecrets } from '../app/access.ts';
import { openStore } from '../app/store.ts';
import { systemClock } from '../backends/clock/system-clock.ts';
import { randomIds } from '../backends/ids/random-ids.ts';
import { createLogger } from '../backends/logger/create-logger.ts';
import { loadConfig } from '../config.ts';
import { createAccess } from '../engine/index.ts';
import { createControl } from '../http/control.ts';
import { prepareDataDirectory } from './data-directory.ts';
import type { ControlAnswer, ControlRequest } from './socket-client.ts';

/** The control API in this process. */
interface LocalControl {
  ask(request: ControlRequest): Promise<ControlAnswer>;
  close(): Promise<void>;
}

/** Opens the store that the settings name, for this process alone where it is embedded. Rejects with a sentence, with a `StoreInUse`. */
export async function openLocalControl(): Promise<LocalControl> {
  const config = loadConfig({ env: process.env, cwd: process.cwd() });
  await prepareDataDirectory(config.dataDir);
  const log = createLogger('error', process.stderr);
  const { doors } = await import('../app.ts');
  const store = await openStore(config, log);
  const { keys, tokens, box } = await openSecrets(config, store).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  const access = createAccess({
    store,
    clock: systemClock,
    ids: randomIds,
    tiers: new Map(Object.entries(config.tiers)),
    // Whoever gives the command is told by its answer.
    observer: { accessChanged: () => undefined },
    access: {
      keys,
      tokens,
      box,
      // Nothing here remembers keys; servers on the same database are told by the store.
      onChange: async () => {},
      dialects: doors.map(({ name }) => name),
    },
  });
  const facts = { pid: process.pid, node: process.versions.node, store: config.databaseUrl === null ? 'embedded' : 'postgresql' };
  const control = createControl({ access, clock: systemClock, log, issueToken: access.issueToken, facts, examine: async () => [] });
  return {
    async ask({ method, path, body }) {
      const answer = await control.inject({ method, url: path, ...(body && { payload: body }) });
      return { status: answer.statusCode, body: answer.body };
    },
    async close() {
      await control.close();
      await store.close();
    },
  };
}
