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
  /** Lets some go on who have paused until this window; false when there are no more of them. */
  readonly release: () => boolean;
  /** Milliseconds between the starts of two flushes that take everything along. */
  readonly windowMs: () => number;
  /** Flushes; null when nothing of that scope waits. */
  readonly flush: (scope: FlushScope) => Promise<unknown> | null;
  /** What still waits after a flush; whoever has paused waits for any. */
  readonly waiting: () => { readonly any: boolean; readonly urgent: boolean };
  readonly onFault: (error: unknown) => void;
}

export function createFlushSchedule({ clock, windowMs, release, flush, waiting, onFault }: FlushScheduleOptions): FlushSchedule {
  const scheduled = { all: false, urgent: false };
  let flushing = false;
  let opened: number | null = null;
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
    if (taken === 'all' && opensWindow()) {
      scheduled[scope] = true;
      setImmediate(start, scope);
      return;
    }
    const flushed = flush(taken);
    if (taken === 'all') closeWindow(flushed !== null || waiting().any);
    if (flushed) {
      flushing = true;
      flushed.catch(onFault).finally(goOn);
    } else goOn();
  }

  /** Also where nothing was flushed: something urgent may have taken the text of those who have paused again. */
  function goOn(): void {
    flushing = false;
    const { any, urgent } = waiting();
    if (urgent) request('urgent');
    if (any) request('all');
  }

  /** Whether somebody goes on whose text is to go along. */
  function opensWindow(): boolean {
    opened ??= clock.elapsed();
    return release();
  }

  function closeWindow(counts: boolean): void {
    if (counts && opened !== null) lastWindowStart = opened;
    opened = null;
  }

  return { request };
}
