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

/** Starts the clock of one try. */
export function createDeadline(caller: AbortSignal, timeouts: Timeouts): Deadline {
  const controller = new AbortController();
  const expire = () => controller.abort(timedOut());
  const leave = () => controller.abort(caller.reason);
  let held = false;
  let started = false;
  let touchedAt = performance.now();
  // Bytes only leave a mark: moving a timer for each of them would cost more than looking again when it fires.
  const expireIdle = () => {
    const left = timeouts.idleMs - (performance.now() - touchedAt);
    if (held) idle = setTimeout(expireIdle, timeouts.idleMs);
    else if (started && left > 0) idle = setTimeout(expireIdle, left);
    else expire();
  };
  let idle = setTimeout(expireIdle, timeouts.firstByteMs);
  const total = setTimeout(expire, timeouts.totalMs);
  caller.addEventListener('abort', leave, { once: true });
  if (caller.aborted) leave();
  return {
    signal: controller.signal,
    touch() {
      touchedAt = performance.now();
      if (started) return;
      started = true;
      clearTimeout(idle);
      idle = setTimeout(expireIdle, timeouts.idleMs);
    },
    hold(now) {
      held = now;
      touchedAt = performance.now();
    },
    release() {
      clearTimeout(idle);
      clearTimeout(total);
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
