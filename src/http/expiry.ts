import type { Clock } from '../core/ports/clock.ts';

/** The longest that Node's timers wait. */
const MAX_TIMER_MS = 2_147_483_647;

/** Calls back once when the time `at` (milliseconds since 1970) has come, at once when it is past, unless the signal aborts before. */
export function callAt(clock: Clock, at: number, { signal, callback }: { signal: AbortSignal; callback: () => void }): void {
  if (signal.aborted) return;
  const left = at - clock.now();
  if (left <= 0) {
    callback();
    return;
  }
  const onTime = () => {
    signal.removeEventListener('abort', cancel);
    callAt(clock, at, { signal, callback });
  };
  const cancel = clock.after(Math.min(left, MAX_TIMER_MS), onTime);
  signal.addEventListener('abort', cancel, { once: true });
}
