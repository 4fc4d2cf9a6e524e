import { AppError } from '../../core/errors.ts';
import { type RateState, tightest } from '../../core/limits.ts';
import type { BeginRun, RunsLeft } from '../../core/ports/store.ts';

/** Nobody knows when a run ends: so long it makes sense to wait for one. */
const RETRY_SECONDS = 5;

/** As many runs as may be unfinished; null is without bound. */
type RunsAllowed = BeginRun['maxUnfinished'];

const names = { user: 'concurrent-runs', application: 'application-concurrent-runs' } as const;

/** Where somebody stands whose run has begun, under the tighter of the bounds on unfinished runs; null without bound. */
export function stateOfRuns(allowed: RunsAllowed, left: RunsLeft): RateState | null {
  return tightest([stateOf('user', allowed.user, left.user), stateOf('application', allowed.application, left.application)]);
}

/** What is said to somebody who may begin no further run; `retryAfterSeconds` is an estimate. */
export function runLimitReached(allowed: RunsAllowed, bound: keyof RunsLeft): AppError {
  const whose = bound === 'user' ? '' : ' of this application';
  return new AppError('run_limit', `Too many answers${whose} are being written at once; send this again when one of them has ended`, {
    retryAfterSeconds: RETRY_SECONDS,
    ...usedUp(names[bound], allowed[bound] ?? 0),
  });
}

/** What is said to somebody in whose thread no further run may wait; `retryAfterSeconds` is an estimate. */
export function queueFull(maxQueued: number): AppError {
  return new AppError('queue_full', 'Too many messages wait in this thread; send again when some are answered', {
    retryAfterSeconds: RETRY_SECONDS,
    ...usedUp('queued-runs', maxQueued),
  });
}

function stateOf(bound: keyof RunsLeft, limit: number | null, remaining: number | null): RateState | null {
  return limit === null || remaining === null ? null : { name: names[bound], limit, remaining, resetMs: RETRY_SECONDS * 1000 };
}

function usedUp(name: string, limit: number): { readonly rate: RateState } {
  return { rate: { name, limit, remaining: 0, resetMs: RETRY_SECONDS * 1000 } };
}
