import type { AppError } from '../../core/errors.ts';
import type { Clock } from '../../core/ports/clock.ts';

/** Frames over a limit that a client may send in the time it was told to wait. */
const MAX_UNHEEDED = 20;
const WAIT_MS = 1_000;

/** Tells, refusal after refusal, whether a client still heeds what it is told. */
export type Patience = (failure: AppError) => boolean;

/** Patience with one socket: it ends with the refusal of a further frame over a limit while the client should have waited. */
export function createPatience(clock: Clock): Patience {
  let waitUntil = 0;
  let unheeded = 0;
  return ({ code, retryAfterSeconds }) => {
    if (code !== 'rate_limited' && code !== 'run_limit') return true;
    const now = clock.now();
    unheeded = now < waitUntil ? unheeded + 1 : 0;
    if (now >= waitUntil) waitUntil = now + (retryAfterSeconds === undefined ? WAIT_MS : retryAfterSeconds * 1_000);
    return unheeded < MAX_UNHEEDED;
  };
}
