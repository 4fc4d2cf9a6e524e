import { AppError } from '../core/errors.ts';
import type { Clock } from '../core/ports/clock.ts';

const RETRY_MS = 500;

/** What a store gives, or `unavailable` while it cannot be reached: a reader waits for it instead of breaking off. */
export async function unlessUnavailable<T>(reading: Promise<T>): Promise<T | 'unavailable'> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof AppError && error.code === 'overloaded') return 'unavailable';
    throw error;
  }
}

/** What a store gives, as soon as it can be reached: looks again twice a second. Rejects with the signal's reason when that aborts. */
export async function onceAvailable<T>(read: () => Promise<T>, { clock, signal }: { clock: Clock; signal: AbortSignal }): Promise<T> {
  for (;;) {
    const found = await unlessUnavailable(read());
    if (found !== 'unavailable') return found;
    await clock.sleep(RETRY_MS, signal);
  }
}
