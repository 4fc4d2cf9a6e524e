import type { Logger } from 'pino';
import { systemClock } from '../backends/clock/system-clock.ts';
import { createMemoryRateLimiter } from '../backends/limits/memory.ts';
import type { Config } from '../config.ts';
import type { Tier } from '../core/limits.ts';
import type { RateLimiter } from '../core/ports/rate-limiter.ts';

/** What counts what callers use. */
interface OpenLimits {
  readonly rates: { readonly requests: RateLimiter; readonly messages: RateLimiter };
  readonly tiers: ReadonlyMap<string, Tier>;
  close(): Promise<void>;
}

/** Requests are counted in this process; messages in the database where servers share one, else here too. */
export async function openLimits({ databaseUrl, tiers }: Config, log: Logger): Promise<OpenLimits> {
  const requests = createMemoryRateLimiter();
  const byName = new Map(Object.entries(tiers));
  if (databaseUrl === null)
    return { rates: { requests, messages: createMemoryRateLimiter() }, tiers: byName, close: async () => undefined };
  const { createPostgresRateLimiter } = await import('../backends/limits/postgres.ts');
  const onFault = (err: unknown) => log.warn({ err }, 'a connection that counts messages broke');
  const messages = createPostgresRateLimiter({ url: databaseUrl, clock: systemClock, onFault });
  return { rates: { requests, messages }, tiers: byName, close: messages.close };
}
