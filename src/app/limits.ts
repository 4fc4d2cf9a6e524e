import type { Logger } from 'pino';
import { systemClock } from '../backends/clock/system-clock.ts';
import { createMemoryRateLimiter } from '../backends/limits/memory.ts';
import { createEventLoopGauge } from '../backends/load/event-loop.ts';
import type { Config } from '../config.ts';
import type { Tier } from '../core/limits.ts';
import type { LoadGauge } from '../core/ports/load.ts';
import type { RateLimiter } from '../core/ports/rate-limiter.ts';

/** What counts what callers use, and tells when there is no room for more. */
interface OpenLimits {
  readonly rates: { readonly requests: RateLimiter; readonly messages: RateLimiter };
  readonly tiers: ReadonlyMap<string, Tier>;
  readonly load: LoadGauge;
  close(): Promise<void>;
}

/** Requests are counted in this process; messages in the database where servers share one, else here too. `load` is the event loop's unless given. */
export async function openLimits({ databaseUrl, tiers }: Config, log: Logger, given?: LoadGauge): Promise<OpenLimits> {
  const requests = createMemoryRateLimiter();
  const byName = new Map(Object.entries(tiers));
  const gauge = createEventLoopGauge();
  const load = given ?? gauge;
  if (databaseUrl === null) {
    return { rates: { requests, messages: createMemoryRateLimiter() }, tiers: byName, load, close: async () => gauge.close() };
  }
  const { createPostgresRateLimiter } = await import('../backends/limits/postgres.ts');
  const onFault = (err: unknown) => log.warn({ err }, 'a connection that counts messages broke');
  const messages = createPostgresRateLimiter({ url: databaseUrl, clock: systemClock, onFault });
  const close = async () => {
    gauge.close();
    await messages.close();
  };
  return { rates: { requests, messages }, tiers: byName, load, close };
}
