import { AppError } from '../../core/errors.ts';
import type { Rate, RateState } from '../../core/limits.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Observer } from '../../core/ports/observer.ts';
import type { RateLimiter } from '../../core/ports/rate-limiter.ts';

/** One rate that applies to somebody. */
export interface Bound {
  /** Whom it counts for. */
  readonly key: string;
  readonly name: string;
  readonly rate: Rate;
  /** What is too much when it is used up, as the beginning of a sentence. */
  readonly excess: string;
}

/** Points taken for something, and where that leaves the caller; null without bound. */
export interface Charge {
  readonly state: RateState | null;
  /** Takes the charge back, for what did not happen after all. Never rejects: a point too many is gone by itself when its window is over. */
  giveBack(): Promise<void>;
}

export interface ChargePorts {
  readonly limiter: RateLimiter;
  readonly clock: Clock;
  readonly observer: Observer;
}

interface Taken {
  readonly bound: Bound;
  readonly state: RateState;
  readonly allowed: boolean;
  /** When the window is over, on the clock that never jumps. */
  readonly until: number;
}

/**
 * Takes a point of every bound, group after group and within a group at once. Rejects with `rate_limited` when one of them is used up, and
 * with what the limiter rejects with; either way it has taken nothing.
 */
export async function charge(ports: ChargePorts, groups: readonly (readonly Bound[])[]): Promise<Charge> {
  const taken: Taken[] = [];
  for (const group of groups) {
    const results = await Promise.allSettled(group.map((bound) => take(ports, bound)));
    const answers = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    taken.push(...answers.filter(({ allowed }) => allowed));
    const failed = results.find((result) => result.status === 'rejected');
    const refused = answers.filter(({ allowed }) => !allowed);
    if (!failed && refused.length === 0) continue;
    await giveBack(ports, taken);
    throw failed ? failed.reason : refusal(ports, refused);
  }
  return { state: tightest(taken), giveBack: () => giveBack(ports, taken) };
}

async function take({ limiter, clock }: ChargePorts, bound: Bound): Promise<Taken> {
  const { allowed, remaining, resetMs } = await limiter.take(bound.key, bound.rate);
  const state = { name: bound.name, limit: bound.rate.points, remaining, resetMs };
  return { bound, state, allowed, until: clock.elapsed() + resetMs };
}

async function giveBack({ limiter, clock, observer }: ChargePorts, taken: readonly Taken[]): Promise<void> {
  // A point of a window that is over would be somebody's extra point in the next one.
  const current = taken.filter(({ until }) => clock.elapsed() < until);
  const results = await Promise.allSettled(current.map(({ bound }) => limiter.giveBack(bound.key, bound.rate)));
  for (const result of results) if (result.status === 'rejected') observer.faulted('rate limits', result.reason);
}

/** The state with the smallest share left; of equal ones the one that takes longest to come back. */
function tightest(taken: readonly Taken[]): RateState | null {
  const share = ({ remaining, limit }: RateState) => remaining / limit;
  const states = taken.map(({ state }) => state);
  return states.sort((left, right) => share(left) - share(right) || right.resetMs - left.resetMs)[0] ?? null;
}

function refusal({ observer }: ChargePorts, refused: readonly Taken[]): AppError {
  const [worst] = refused.toSorted((left, right) => right.state.resetMs - left.state.resetMs);
  if (worst === undefined) throw new Error('A refusal names what is used up.');
  const { bound, state } = worst;
  const seconds = Math.max(1, Math.ceil(state.resetMs / 1000));
  const allowed = `${bound.rate.points} in ${bound.rate.seconds} seconds are allowed`;
  observer.refused({ code: 'rate_limited', limit: bound.name });
  return new AppError('rate_limited', `${bound.excess}: ${allowed}. Send this again in ${seconds} seconds`, {
    retryAfterSeconds: seconds,
    rate: { ...state, remaining: 0 },
  });
}
