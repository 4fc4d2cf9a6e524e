import type { Clock } from '../../src/core/ports/clock.ts';

/** A clock that stands until a test moves it. */
export interface FakeClock extends Clock {
  /** Moves time on, calling back what comes due, in order. */
  advance(ms: number): void;
}

export function createFakeClock(start = 1_700_000_000_000): FakeClock {
  let now = start;
  const timers = new Set<{ due: number; callback: () => void }>();

  const clock: FakeClock = {
    now: () => now,
    elapsed: () => now,
    after(ms, callback) {
      const timer = { due: now + ms, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const cancel = clock.after(ms, resolve);
        signal?.addEventListener('abort', () => {
          cancel();
          reject(signal.reason);
        });
      }),
    every(ms, task) {
      let cancel = clock.after(ms, repeat);
      function repeat(): void {
        cancel = clock.after(ms, repeat);
        void task();
      }
      return () => cancel();
    },
    advance(ms) {
      const until = now + ms;
      for (;;) {
        const next = [...timers].filter((timer) => timer.due <= until).sort((a, b) => a.due - b.due)[0];
        if (!next) break;
        timers.delete(next);
        now = Math.max(now, next.due);
        next.callback();
      }
      now = until;
    },
  };
  return clock;
}

/** Lets everything that is ready to run, run: promises, immediates, and what they start. */
export async function settle(turns = 5): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
