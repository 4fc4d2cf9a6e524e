import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, findTestServer, queryDatabase } from '../../../test/support/test-database.ts';
import type { RateLimiter } from '../../core/ports/rate-limiter.ts';
import { systemClock } from '../clock/system-clock.ts';
import { openPostgresStore } from '../stores/postgres/index.ts';
import { createMemoryRateLimiter } from './memory.ts';
import { createPostgresRateLimiter, type SharedRateLimiter } from './postgres.ts';

const server = await findTestServer();
const MINUTE = 60;

let names = 0;
/** Somebody who has used nothing yet. */
function somebody(): string {
  names += 1;
  return `somebody ${names}`;
}
const many = <T>(count: number, make: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, index) => make(index)));
const shared = (url: string) =>
  createPostgresRateLimiter({
    url,
    clock: systemClock,
    onFault: () => undefined,
  });

function limiterCases(open: () => readonly [RateLimiter, RateLimiter]): void {
  test('of many calls at once exactly as many are allowed as there is room for', async () => {
    const key = somebody();
    const rate = { points: 7, seconds: MINUTE };
    const takes = await many(100, (index) => open()[index % 2 === 0 ? 0 : 1].take(key, rate));
    const allowed = takes.filter((take) => take.allowed);
    expect(allowed.map(({ remaining }) => remaining).sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    for (const { remaining, resetMs } of takes.filter((take) => !take.allowed)) {
      expect(remaining).toBe(0);
      expect(resetMs).toBeGreaterThan(0);
      expect(resetMs).toBeLessThanOrEqual(MINUTE * 1000);
    }
  });

  test('a refused call takes nothing: a point given back is there again', async () => {
    const [one, other] = open();
    const key = somebody();
    const rate = { points: 1, seconds: MINUTE };
    expect(await one.take(key, rate)).toMatchObject({ allowed: true, remaining: 0 });
    await many(20, () => one.take(key, rate));
    await one.giveBack(key, rate);
    expect(await other.take(key, rate)).toMatchObject({ allowed: true, remaining: 0 });
    expect(await one.take(key, rate)).toMatchObject({ allowed: false, remaining: 0 });
  });

  test('when the window is over all of it is there again, and no more than that', async () => {
    const [one] = open();
    const key = somebody();
    const rate = { points: 2, seconds: 1 };
    await many(5, () => one.take(key, rate));
    const { allowed, resetMs } = await one.take(key, rate);
    expect(allowed).toBe(false);
    await sleep(resetMs + 1);
    await one.giveBack(key, rate);
    const after = await many(5, () => one.take(key, rate));
    expect(after.filter((take) => take.allowed)).toHaveLength(2);
  });

  test('no more is given back than was taken', async () => {
    const [one] = open();
    const key = somebody();
    const rate = { points: 1, seconds: MINUTE };
    await one.giveBack(key, rate);
    await one.take(key, rate);
    await many(3, () => one.giveBack(key, rate));
    const takes = await many(3, () => one.take(key, rate));
    expect(takes.filter((take) => take.allowed)).toHaveLength(1);
  });

  test('whoever comes under two rates of the same length is counted once; minute and hour are counted apart', async () => {
    const [one] = open();
    const key = somebody();
    await many(3, () => one.take(key, { points: 5, seconds: MINUTE }));
    expect(await one.take(key, { points: 3, seconds: MINUTE })).toMatchObject({ allowed: false });
    expect(await one.take(key, { points: 3, seconds: 3600 })).toMatchObject({ allowed: true, remaining: 2 });
  });

  test.each(['', '\0', '__proto__', '\ud800', "'; drop table polylogue.rate_limits; --", 'x'.repeat(100_000)])(
    'anybody is counted, whatever they are called',
    async (name) => {
      const [one] = open();
      const rate = { points: 1, seconds: MINUTE };
      expect(await one.take(name, rate)).toMatchObject({ allowed: true });
      expect(await one.take(name, rate)).toMatchObject({ allowed: false });
    },
  );
}

describe('counted in memory', () => {
  const limiter = createMemoryRateLimiter();
  limiterCases(() => [limiter, limiter]);
});

describe.skipIf(server === null)('counted in PostgreSQL by two servers', () => {
  let database: Awaited<ReturnType<typeof createTestDatabase>>;
  let limiters: readonly [SharedRateLimiter, SharedRateLimiter];
  beforeAll(async () => {
    database = await createTestDatabase(server ?? '');
    const store = await openPostgresStore({ url: database.url, log: { info: () => undefined, warn: () => undefined } });
    await store.close();
    limiters = [shared(database.url), shared(database.url)];
  });
  afterAll(async () => {
    for (const limiter of limiters) await limiter.close();
    await database.drop();
  });
  limiterCases(() => limiters);

  test('what is counted names nobody', async () => {
    await limiters[0].take('dear diary', { points: 1, seconds: MINUTE });
    const rows = await queryDatabase(database.url, 'select * from polylogue.rate_limits');
    expect(rows.length).toBeGreaterThan(0);
    expect(JSON.stringify(rows)).not.toMatch(/diary|somebody/);
  });

  test('connections that break are replaced, and while there is no database nobody is let through', async () => {
    const own = await createTestDatabase(server ?? '');
    const store = await openPostgresStore({ url: own.url, log: { info: () => undefined, warn: () => undefined } });
    await store.close();
    const limiter = shared(own.url);
    const key = somebody();
    const rate = { points: 9, seconds: MINUTE };
    expect(await limiter.take(key, rate)).toMatchObject({ remaining: 8 });
    const others = `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`;
    await queryDatabase(own.url, others);
    await sleep(50);
    expect(await limiter.take(key, rate)).toMatchObject({ remaining: 7 });
    await own.drop();
    await expect(limiter.take(key, rate)).rejects.toMatchObject({ code: 'overloaded', retryAfterSeconds: 5 });
    await expect(limiter.giveBack(key, rate)).rejects.toMatchObject({ code: 'overloaded' });
    await limiter.close();
  });
});
