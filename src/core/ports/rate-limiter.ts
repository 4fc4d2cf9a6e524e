import type { Rate } from '../limits.ts';

/** Counts what is done in windows of time. Atomic: of many calls at once exactly as many are allowed as there is room for. */
export interface RateLimiter {
  /** Takes one point; `remaining` is what is left afterwards. A refused call takes nothing. */
  take(key: string, rate: Rate): Promise<{ readonly allowed: boolean; readonly remaining: number; readonly resetMs: number }>;
  /** Gives a point of the current window back, for what did not happen after all. */
  giveBack(key: string, rate: Rate): Promise<void>;
}
