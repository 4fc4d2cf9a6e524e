import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { append, begin, ending, segment } from '../../../../test/contracts/store-fixtures.ts';
import { agentSnapshot, deciding, namesOf, waiting } from '../../../../test/contracts/store-waits-fixtures.ts';
import { findPostgres, type PostgresServer, startPostgresServer } from '../../../../test/support/postgres-server.ts';
import type { LogBatch, Store } from '../../../core/ports/store.ts';
import type { Run } from '../../../core/run.ts';
import { openPostgresStore } from './index.ts';

const programs = findPostgres();
const log = { info: () => undefined, warn: () => undefined };

let server: PostgresServer;
let store: Store;

/** As the engine does: again until the store has taken it. */
async function insist<T>(call: () => Promise<T>, failures: unknown[]): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      failures.push(error);
      await sleep(10);
    }
  }
}

/** As the engine does: the same offsets until the store has taken them. */
async function insistOn(batch: Partial<Pick<LogBatch, 'segments' | 'waits' | 'ends'>>, failures: unknown[]): Promise<readonly string[]> {
  return insist(async () => (await append(store, batch)).fenced, failures);
}

/** Lets the server go down three times before it says that it is enough. */
async function restarting(signal: 'SIGQUIT' | 'SIGKILL', enough: () => void): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    await sleep(100);
    await server.restart(signal);
  }
  await sleep(100);
  enough();
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
            expect(await insistOn({ segments: [segment(run, offset, [`${offset}`, 'x'])] }, failures)).toEqual([]);
          expect(await insistOn({ ends: [ending(run, offset)] }, failures)).toEqual([]);
          return offset;
        }),
        restarting(signal, () => {
          stopped = true;
        }),
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

  test('runs wait, and are decided about, once', async () => {
    const failures: unknown[] = [];
    const decided: Run[] = [];
    let stopped = false;
    const decideAgainAndAgain = async () => {
      while (!stopped) {
        const { run } = await insist(() => begin(store, { snapshot: agentSnapshot() }), failures);
        expect(await insistOn({ waits: [waiting(run, 2, ['c1'])] }, failures)).toEqual([]);
        const { kind } = await insist(() => store.decideApproval(deciding(run, 'c1')), failures);
        expect(['decided', 'already_decided']).toContain(kind);
        decided.push(run);
      }
    };
    const enough = () => {
      stopped = true;
    };
    await Promise.all([...Array.from({ length: 8 }, decideAgainAndAgain), restarting('SIGKILL', enough)]);
    expect(new Set(failures.map((failure) => (failure as { code?: string }).code))).toEqual(new Set(['overloaded']));
    for (const run of decided) {
      expect((await store.findRun(run.owner, run.id))?.status).toBe('queued');
      expect(await namesOf(store, run)).toEqual(['1 run.started', '2 approval.requested', '3 approval.decided']);
    }
  }, 60_000);
});
