import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSqliteStore } from '../../src/backends/stores/sqlite/index.ts';
import type { Store } from '../../src/core/ports/store.ts';
import { agentApps, asking, type MadeCall, testSource, testTool } from '../support/agent-app.ts';
import { settle } from '../support/fake-clock.ts';

const start = agentApps();

interface Meeting {
  readonly store: Store;
  /** Resolves when the run's wait is on its way to the store. */
  readonly waits: Promise<void>;
}

/** A store in which a run still counts as running for whoever cancels it, and waits right before or behind the moment in which that is told. */
function meeting(store: Store, told: 'before' | 'behind'): Meeting {
  const [waits, read, stored] = [Promise.withResolvers<void>(), Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  return {
    waits: waits.promise,
    store: {
      ...store,
      async appendLog(batch) {
        if (batch.waits.length === 0) return store.appendLog(batch);
        waits.resolve();
        await read.promise;
        const result = await store.appendLog(batch);
        stored.resolve();
        return result;
      },
      async cancelRun(input) {
        const run = await store.cancelRun(input);
        if (run?.status !== 'running') return run;
        read.resolve();
        if (told === 'behind') await stored.promise.then(() => settle());
        return run;
      },
    },
  };
}

test.each(['before', 'behind'] as const)(
  'a cancel that reaches a run right %s the moment in which it begins to wait ends it',
  async (told) => {
    const dataDir = await mkdtemp(join(tmpdir(), 'polylogue-'));
    const { store, waits } = meeting(await openSqliteStore({ dataDir }), told);
    const calls: MadeCall[] = [];
    const { ask, app, eventsOf, close } = await start([asking([{ name: 'write' }])], {
      dataDir,
      store,
      sources: [testSource([testTool('write', calls)])],
    });
    const run = await ask('Write');
    await waits;
    const response = await app.send(`/polylogue/v1/runs/${run.id}/cancel`, { method: 'POST', headers: { 'x-user-id': run.user } });
    expect(JSON.parse(await response.text())).toMatchObject({ status: 'cancelled' });
    expect((await eventsOf(run)).at(-1)).toMatchObject({ type: 'run.cancelled' });
    expect(calls).toEqual([]);
    await close();
    await rm(dataDir, { recursive: true });
  },
);
