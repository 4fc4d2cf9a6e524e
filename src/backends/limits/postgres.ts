import pg from 'pg';
import { RateLimiterPostgres } from 'rate-limiter-flexible';
import { storeUnavailable } from '../../core/errors.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { RateLimiter } from '../../core/ports/rate-limiter.ts';
import { digestOf } from './digest.ts';

const SCHEMA = 'polylogue';
const TABLE = 'rate_limits';
const CONNECTIONS = 4;
const PATIENCE_MS = 5_000;
const CLEAN_MS = 300_000;

const UNTAKE = `update ${SCHEMA}.${TABLE} set points = points - 1 where key = $1 and points > 0 and expire > $2 and expire <= $3`;
const CLEAN = `delete from ${SCHEMA}.${TABLE} where expire < $1`;

/** A limiter with connections to close. */
export interface SharedRateLimiter extends RateLimiter {
  close(): Promise<void>;
}

interface SharedRateLimiterOptions {
  readonly url: string;
  readonly clock: Clock;
  /** Told when an idle connection breaks or old windows cannot be removed; the next call tries anew. */
  readonly onFault: (error: unknown) => void;
}

/**
 * Counts in PostgreSQL, for all servers together, in the table that the store's migrations make. Connects when first asked; rejects with
 * `overloaded` while the database cannot be used. Rates of the same length share their count.
 */
export function createPostgresRateLimiter({ url, clock, onFault }: SharedRateLimiterOptions): SharedRateLimiter {
  const pool = openPool(url);
  // Without this listener, a restart of the database would end this process.
  pool.on('error', onFault);
  const windows = new Map<number, RateLimiterPostgres>();

  function windowsOf(seconds: number): RateLimiterPostgres {
    const known = windows.get(seconds);
    if (known) return known;
    const made = new RateLimiterPostgres({
      storeClient: pool,
      storeType: 'pool',
      schemaName: SCHEMA,
      tableName: TABLE,
      tableCreated: true,
      clearExpiredByTimeout: false,
      keyPrefix: String(seconds),
      // The library keeps what it refuses, so it refuses nothing here.
      points: Number.MAX_SAFE_INTEGER,
      duration: seconds,
    });
    windows.set(seconds, made);
    return made;
  }

  /** Lowers the count of the window that is over at `until`, and of no later one. */
  async function untake(limiter: RateLimiterPostgres, digest: string, until: number): Promise<void> {
    await pool.query({ name: 'polylogue-untake', text: UNTAKE, values: [limiter.getKey(digest), clock.now(), until] });
  }

  const stopCleaning = clock.every(CLEAN_MS, async () => {
    // Left over rows do no harm, and the next time takes them too.
    await pool.query(CLEAN, [clock.now()]).catch(onFault);
  });

  return {
    take: (key, { points, seconds }) =>
      counted(async () => {
        const limiter = windowsOf(seconds);
        const digest = digestOf(key);
        const { consumedPoints, msBeforeNext } = await limiter.consume(digest);
        const resetMs = Math.min(msBeforeNext, seconds * 1000);
        if (consumedPoints <= points) return { allowed: true, remaining: points - consumedPoints, resetMs };
        await untake(limiter, digest, clock.now() + msBeforeNext);
        return { allowed: false, remaining: 0, resetMs };
      }),
    giveBack: (key, { seconds }) => counted(() => untake(windowsOf(seconds), digestOf(key), Number.MAX_SAFE_INTEGER)),
    async close() {
      stopCleaning();
      if (!pool.ending) await pool.end();
    },
  };
}

function openPool(url: string): pg.Pool {
  return new pg.Pool({
    connectionString: url,
    max: CONNECTIONS,
    connectionTimeoutMillis: PATIENCE_MS,
    query_timeout: PATIENCE_MS,
    statement_timeout: PATIENCE_MS,
    application_name: 'polylogue limits',
    keepAlive: true,
  });
}

async function counted<T>(counting: () => Promise<T>): Promise<T> {
  try {
    return await counting();
  } catch (error) {
    throw storeUnavailable(error);
  }
}
