import type { Clock } from '../core/ports/clock.ts';

/** The longest that Node's timers wait. */
const MAX_TIMER_MS = 2_147_483_647;
const nothing = () => undefined;

interface Moment {
  readonly callbacks: Set<() => void>;
  cancel: () => void;
}

/** What happens on a clock, by time: thousands of connections may wait for the same second. */
const momentsOf = new WeakMap<Clock, Map<number, Moment>>();

/**
 * Calls back once when the time `at` (milliseconds since 1970) has come, at once when it is past, until the function it returns is called.
 * Whoever waits twice for the same moment brings two callbacks.
 */
export function callAt(clock: Clock, at: number, callback: () => void): () => void {
  if (at <= clock.now()) {
    callback();
    return nothing;
  }
  const moments = momentsOf.get(clock) ?? new Map<number, Moment>();
  momentsOf.set(clock, moments);
  const moment = moments.get(at) ?? begin(clock, moments, at);
  moment.callbacks.add(callback);
  return () => {
    moment.callbacks.delete(callback);
    if (moment.callbacks.size > 0 || moments.get(at) !== moment) return;
    moments.delete(at);
    moment.cancel();
  };
}

function begin(clock: Clock, moments: Map<number, Moment>, at: number): Moment {
  const moment: Moment = { callbacks: new Set(), cancel: nothing };
  const wait = () => {
    moment.cancel = clock.after(Math.min(at - clock.now(), MAX_TIMER_MS), () => {
      if (clock.now() < at) return wait();
      moments.delete(at);
      for (const call of [...moment.callbacks]) call();
    });
  };
  moments.set(at, moment);
  wait();
  return moment;
}
