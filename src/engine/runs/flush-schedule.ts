import type { Clock } from '../../core/ports/clock.ts';

/** What a flush takes along: everything that waits, or only the runs with something urgent. */
export type FlushScope = 'all' | 'urgent';

/** Decides when a flush starts: one at a time, urgent ones at once, the others at least a window after the last one of them started. */
export interface FlushSchedule {
  /** Something waits to be flushed. */
  request(scope: FlushScope): void;
}

interface FlushScheduleOptions {
  readonly clock: Clock;
  readonly windowMs: number;
  /** The window while the event loop is late, so that a loaded server writes less often. */
  readonly loadedWindowMs: number;
  /** Flushes; null when nothing of that scope waits. */
  readonly flush: (scope: FlushScope) => Promise<void> | null;
  /** What still waits after a flush. */
  readonly waiting: () => { readonly any: boolean; readonly urgent: boolean };
  readonly onFault: (error: unknown) => void;
}

/** A timer that fires this late tells of a loaded event loop. */
const LATE_MS = 10;
/** How long the server counts as loaded after that. */
const LOADED_MS = 1_000;

export function createFlushSchedule({ clock, windowMs, loadedWindowMs, flush, waiting, onFault }: FlushScheduleOptions): FlushSchedule {
  const scheduled = { all: false, urgent: false };
  let flushing = false;
  let lastWindowStart = Number.NEGATIVE_INFINITY;
  let loadedUntil = Number.NEGATIVE_INFINITY;

  function request(scope: FlushScope): void {
    if (flushing || scheduled[scope]) return;
    scheduled[scope] = true;
    // An idle writer flushes at once, after the turn of the loop has gathered.
    const now = clock.elapsed();
    const window = now < loadedUntil ? loadedWindowMs : windowMs;
    const wait = scope === 'urgent' ? 0 : Math.min(window, lastWindowStart + window - now);
    if (wait <= 0) {
      setImmediate(start, scope);
      return;
    }
    clock.after(wait, () => {
      if (clock.elapsed() > now + wait + LATE_MS) loadedUntil = clock.elapsed() + LOADED_MS;
      start(scope);
    });
  }

  function start(scope: FlushScope): void {
    scheduled[scope] = false;
    if (flushing) return;
    const flushed = flush(scope);
    if (!flushed) return;
    if (scope === 'all') lastWindowStart = clock.elapsed();
    flushing = true;
    flushed.catch(onFault).finally(() => {
      flushing = false;
      const { any, urgent } = waiting();
      if (urgent) request('urgent');
      if (any) request('all');
    });
  }

  return { request };
}
