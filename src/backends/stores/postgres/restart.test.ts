import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { append, begin, ending, segment } from '../../../../test/contracts/store-fixtures.ts';
import { findPostgres, type PostgresServer, startPostgresServer } from '../../../../test/support/postgres-server.ts';
import type { LogBatch, Store } from '../../../core/ports/store.ts';
import { openPostgresStore } from './index.ts';

const programs = findPostgres();
const log = { info: () => undefined, warn: () => undefined };

let server: PostgresServer;
let store: Store;

/** As the engine does: the same offsets until the store has taken them. */
async function insist(batch: Pick<LogBatch, 'segments' | 'ends'>, failures: unknown[]): Promise<readonly string[]> {
  for (;;) {
    try {
      return (await append(store, batch)).fenced;
    } catch (error) {
      failures.push(error);
      await sleep(10);
    }
  }
}

describe.skipIf(programs === null)('when the server goes down under writers', () => {
  beforeAll(async () => {
    server = await startPostgresServer(programs ?? '');
    store = await openPostgresStore({ url: server.url, log });
  });
  afterAll(async () => {
    await store.close();
    await server.stop();
  });

  test.each(['SIGQUIT', 'SIGKILL'] as const)(
    '%s loses and doubles nothing that was answered',
    async (signal) => {
      const runs = await Promise.all(Array.from({ length: 8 }, async () => (await begin(store)).run));
      const failures: unknown[] = [];
      let stopped = false;
      const written = await Promise.all([
        ...runs.map(async (run) => {
          let offset = 2;
          for (; !stopped; offset += 2)
            expect(await insist({ segments: [segment(run, offset, [`${offset}`, 'x'])], ends: [] }, failures)).toEqual([]);
          expect(await insist({ segments: [], ends: [ending(run, offset)] }, failures)).toEqual([]);
          return offset;
        }),
        (async () => {
          for (let round = 0; round < 3; round += 1) {
            await sleep(100);
            await server.restart(signal);
          }
          await sleep(100);
          stopped = true;
          return 0;
        })(),
      ]);
      expect(new Set(failures.map((failure) => (failure as { code?: string }).code))).toEqual(new Set(['overloaded']));
      for (const [index, run] of runs.entries()) {
        const { events, ended } = await store.readLog({ runId: run.id, after: 0, maxBytes: 100_000_000 });
        expect(ended).toBe(true);
        expect(events.map((json) => (JSON.parse(json) as { offset: number }).offset)).toEqual(
          Array.from({ length: written[index] ?? 0 }, (_, at) => at + 1),
        );
      }
    },
    60_000,
  );
});
