import { timedOut } from './failures.ts';

/** How long a provider may take, in milliseconds. */
export interface Timeouts {
  /** From the start of a try to the first byte of its answer. */
  readonly firstByteMs: number;
  /** Between two reads. */
  readonly idleMs: number;
  /** For the whole try. */
  readonly totalMs: number;
}

/** Joins the caller's signal and the timeouts of one try in one signal. */
export interface Deadline {
  /** Aborts with the caller's reason or with `upstream_timeout`. */
  readonly signal: AbortSignal;
  /** Bytes have come. */
  touch(): void;
  /** While held, silence is our doing and no timeout of idleness. */
  hold(held: boolean): void;
  /** Lets go of timers and listeners; the signal stays as it is. */
  release(): void;
}

/** A fraction would be an object on the heap, made anew for every read and kept until the next. */
function wholeMs(): number {
  return Math.floor(performance.now());
}

/** Starts the clock of one try. */
export function createDeadline(caller: AbortSignal, timeouts: Timeouts): Deadline {
  const controller = new AbortController();
  const leave = () => controller.abort(caller.reason);
  const since = performance.now();
  let held = false;
  let started = false;
  let touchedAt = wholeMs();
  // Bytes only leave a mark: moving a timer for each of them would cost more than looking again when it fires.
  const look = () => {
    const now = performance.now();
    const total = timeouts.totalMs - (now - since);
    const silence = started ? timeouts.idleMs - (now - touchedAt) : timeouts.firstByteMs - (now - since);
    const left = Math.min(total, held ? timeouts.idleMs : silence);
    if (left > 0) timer = setTimeout(look, Math.min(left, timeouts.idleMs));
    else controller.abort(timedOut());
  };
  let timer = setTimeout(look, Math.min(timeouts.firstByteMs, timeouts.idleMs, timeouts.totalMs));
  caller.addEventListener('abort', leave, { once: true });
  if (caller.aborted) leave();
  return {
    signal: controller.signal,
    touch() {
      touchedAt = wholeMs();
      started = true;
    },
    hold(now) {
      held = now;
      touchedAt = wholeMs();
    },
    release() {
      clearTimeout(timer);
      caller.removeEventListener('abort', leave);
    },
  };
}

/** Waits for what asked the reading to pause, but no longer than the deadline allows. Rejects with the deadline's reason, or with that of `held`. */
export function pauseFor(held: Promise<unknown>, deadline: Deadline): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(deadline.signal.reason);
    const settle = (then: () => void) => {
      deadline.signal.removeEventListener('abort', leave);
      deadline.hold(false);
      then();
    };
    deadline.hold(true);
    deadline.signal.addEventListener('abort', leave, { once: true });
    if (deadline.signal.aborted) leave();
    held.then(
      () => settle(resolve),
      (error: unknown) => settle(() => reject(error)),
    );
  });
}
