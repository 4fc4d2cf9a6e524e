import { AppError } from '../core/errors.ts';

/** What a store gives, or `unavailable` while it cannot be reached: a reader waits for it instead of breaking off. */
export async function unlessUnavailable<T>(reading: Promise<T>): Promise<T | 'unavailable'> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof AppError && error.code === 'overloaded') return 'unavailable';
    throw error;
  }
}
