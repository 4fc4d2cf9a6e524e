import type { Clock } from '../../core/ports/clock.ts';

/** Node fires longer timers at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

function after(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, Math.min(ms, LONGEST_TIMER_MS)).unref();
  return () => clearTimeout(timer);
}

/** The machine's own time. Waits beyond 24.8 days end then. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(
        () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
        Math.min(ms, LONGEST_TIMER_MS),
      );
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
  after,
  every(ms, task) {
    let stopped = false;
    let cancel = after(ms, repeat);
    function repeat(): void {
      void task().finally(() => {
        if (!stopped) cancel = after(ms, repeat);
      });
    }
    return () => {
      stopped = true;
      cancel();
    };
  },
};
