import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { append, begin, ending, newId, newThread } from '../../../../test/contracts/store-fixtures.ts';
import { createTestDatabase, findTestServer, queryDatabase } from '../../../../test/support/test-database.ts';
import type { ProcessId } from '../../../core/ids.ts';
import type { Lease, Store } from '../../../core/ports/store.ts';
import { openPostgresStore } from './index.ts';

const LEASE_MS = 10_000;

const server = await findTestServer();
const log = { info: () => undefined, warn: () => undefined };

interface Skewed {
  readonly store: Store;
  readonly now: () => number;
  readonly lease: () => Lease;
  /** Lets the monotonic clock go on alone, as if it went fast. */
  readonly drift: (ms: number) => void;
}

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let servers: readonly Skewed[];

/** A server whose wall clock is that much ahead of the database's. */
async function openSkewed(aheadMs: number): Promise<Skewed> {
  const processId = newId<ProcessId>();
  let drifted = 0;
  const now = () => Date.now() + aheadMs;
  const store = await openPostgresStore({ url: database.url, log, clock: { now, elapsed: () => performance.now() + drifted } });
  return {
    store,
    now,
    lease: () => ({ processId, until: now() + LEASE_MS }),
    drift: (ms) => {
      drifted += ms;
    },
  };
}

/** What is left of the run's lease by the database's own clock, to within some seconds. */
async function expectWholeLease(runId: string): Promise<void> {
  const [row] = await queryDatabase(
    database.url,
    `select (lease_until - extract(epoch from clock_timestamp()) * 1000)::float as left from polylogue.runs where id = '${runId}'`,
  );
  expect(row?.left).toBeGreaterThan(LEASE_MS - 6000);
  expect(row?.left).toBeLessThan(LEASE_MS + 1000);
}

describe.skipIf(server === null)('servers whose clocks differ', () => {
  beforeEach(async () => {
    database = await createTestDatabase(server ?? '');
    servers = await Promise.all([15_000, -15_000, 0].map(openSkewed));
  });
  afterEach(async () => {
    await Promise.all(servers.map(({ store }) => store.close()));
    await database.drop();
  });

  test('take no run of a living one, and every run of a dead one once its lease is over', async () => {
    const runs = await Promise.all(servers.map(async ({ store, lease }) => (await begin(store, { lease: lease() })).run.id));
    for (const { store, now, lease } of servers) {
      expect(await store.takeLost({ now: now(), lease: lease() })).toEqual([]);
      expect(await store.takeLost({ now: now() + LEASE_MS / 2, lease: lease() })).toEqual([]);
    }
    for (const { store, now, lease } of servers) {
      const taken = await store.takeLost({ now: now() + LEASE_MS + 1000, lease: { ...lease(), until: now() + 4 * LEASE_MS } });
      expect(taken.map(({ run }) => run.id).toSorted()).toEqual(runs.toSorted());
      runs.length = 0;
    }
  });

  test('write leases by the database, however they come to a run', async () => {
    for (const { store, now, lease } of servers) {
      const first = await begin(store, { lease: lease() });
      await expectWholeLease(first.run.id);
      const next = await begin(store, { thread: { ref: { id: first.thread.id } }, lease: lease() });
      const { started } = await append(store, { ends: [ending(first.run, 2)], lease: lease() });
      expect(started.map((run) => run.id)).toEqual([next.run.id]);
      await expectWholeLease(next.run.id);
      await store.renewLeases({ ...lease(), until: now() + 9 * LEASE_MS });
      await store.renewLeases(lease());
      await expectWholeLease(next.run.id);
      const waiting = await begin(store, { thread: { create: newThread() }, lease: null });
      expect(await store.claimQueued({ now: now(), lease: lease() })).toHaveLength(1);
      await expectWholeLease(waiting.run.id);
      await store.takeLost({ now: now(), lease: lease(), only: waiting.run.id });
      await expectWholeLease(waiting.run.id);
    }
  });

  test('ask the database again after a while, so that a clock that runs fast does no harm', async () => {
    for (const { store, lease, drift } of servers) {
      // A first write, because a new connection asks by itself.
      await begin(store, { lease: lease() });
      drift(60_000);
      await expectWholeLease((await begin(store, { lease: lease() })).run.id);
    }
  });
});
