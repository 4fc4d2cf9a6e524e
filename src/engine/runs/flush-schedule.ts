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
  /** Lets everybody go on who has paused until this window; true when somebody had. */
  readonly release: () => boolean;
  /** Milliseconds between the starts of two flushes that take everything along. */
  readonly windowMs: () => number;
  /** Flushes; null when nothing of that scope waits. */
  readonly flush: (scope: FlushScope) => Promise<void> | null;
  /** What still waits after a flush; whoever has paused waits for any. */
  readonly waiting: () => { readonly any: boolean; readonly urgent: boolean };
  readonly onFault: (error: unknown) => void;
}

export function createFlushSchedule({ clock, windowMs, release, flush, waiting, onFault }: FlushScheduleOptions): FlushSchedule {
  const scheduled = { all: false, urgent: false };
  let flushing = false;
  let released = false;
  let lastWindowStart = Number.NEGATIVE_INFINITY;

  function request(scope: FlushScope): void {
    if (flushing || scheduled[scope]) return;
    scheduled[scope] = true;
    // An idle writer flushes at once, after the turn of the loop has gathered.
    const wait = scope === 'urgent' ? 0 : untilWindow();
    if (wait <= 0) setImmediate(start, scope);
    else clock.after(wait, () => start(scope));
  }

  function untilWindow(): number {
    const window = windowMs();
    return Math.min(window, lastWindowStart + window - clock.elapsed());
  }

  function start(scope: FlushScope): void {
    scheduled[scope] = false;
    if (flushing) return;
    // Where urgent flushes follow each other without a pause, one of them takes along what has waited its window.
    const taken = scope === 'urgent' && untilWindow() <= 0 ? 'all' : scope;
    if (taken === 'all' && !released && release()) {
      // What they bring now goes along.
      released = true;
      scheduled[scope] = true;
      setImmediate(start, scope);
      return;
    }
    const flushed = flush(taken);
    if (taken === 'all') {
      released = false;
      if (flushed) lastWindowStart = clock.elapsed();
    }
    if (!flushed) return;
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
