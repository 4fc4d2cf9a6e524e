import RateLimiterMemory from 'rate-limiter-flexible/lib/RateLimiterMemory.js';
import type { RateLimiter } from '../../core/ports/rate-limiter.ts';
import { digestOf } from './digest.ts';

/**
 * Counts in this process. A window begins with its first point and is forgotten when it is over. Rates of the same length share their count,
 * so whoever comes in under two tiers is counted once.
 */
export function createMemoryRateLimiter(): RateLimiter {
  const windows = new Map<number, RateLimiterMemory>();

  function windowsOf(seconds: number): RateLimiterMemory {
    const known = windows.get(seconds);
    if (known) return known;
    // The library keeps what it refuses, so it refuses nothing here.
    const made = new RateLimiterMemory({ points: Number.MAX_SAFE_INTEGER, duration: seconds });
    windows.set(seconds, made);
    return made;
  }

  async function untake(limiter: RateLimiterMemory, key: string): Promise<void> {
    const { consumedPoints } = await limiter.reward(key);
    // The window was over: this one is new and has nothing to give back.
    if (consumedPoints < 0) await limiter.penalty(key);
  }

  return {
    async take(key, { points, seconds }) {
      const limiter = windowsOf(seconds);
      const digest = digestOf(key);
      const { consumedPoints, msBeforeNext } = await limiter.consume(digest);
      if (consumedPoints <= points) return { allowed: true, remaining: points - consumedPoints, resetMs: msBeforeNext };
      await untake(limiter, digest);
      return { allowed: false, remaining: 0, resetMs: msBeforeNext };
    },
    giveBack: (key, { seconds }) => untake(windowsOf(seconds), digestOf(key)),
  };
}
