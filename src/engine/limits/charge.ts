import type { AppError } from '../../core/errors.ts';
import { type Rate, type RateState, tightest } from '../../core/limits.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Observer } from '../../core/ports/observer.ts';
import type { RateLimiter } from '../../core/ports/rate-limiter.ts';
import { rateExceeded } from '../../core/refusals.ts';
import type { PendingPoints } from './pending-points.ts';

/** So soon it is known whether points that were taken come back. */
const PENDING_MS = 1_000;

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
  /** Says that it has happened and nothing will be given back. */
  keep(): void;
}

export interface ChargePorts {
  readonly limiter: RateLimiter;
  readonly clock: Clock;
  readonly observer: Observer;
  /** What may come back; without it nothing does. */
  readonly pending?: PendingPoints;
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
  if (groups.length === 0) return FREE;
  const taken: Taken[] = [];
  for (const group of groups) {
    const { answers, failure } = await takeAll(ports, group);
    const refused: Taken[] = [];
    for (const answer of answers) {
      if (answer.allowed) {
        ports.pending?.add(nameOf(answer.bound));
        taken.push(answer);
      } else refused.push(answer);
    }
    if (failure === null && refused.length === 0) continue;
    const reason = failure ? failure.reason : refusal(ports, refused);
    await settling(ports, taken).giveBack();
    throw reason;
  }
  return { state: tightest(taken.map(({ state }) => state)), ...settling(ports, taken) };
}

/** For whom nothing is counted. */
const FREE: Charge = { state: null, keep: () => undefined, giveBack: () => Promise.resolve() };

interface Answers {
  readonly answers: readonly Taken[];
  readonly failure: { readonly reason: unknown } | null;
}

/** Asks for a group's points at once, and waits for all of them. */
async function takeAll(ports: ChargePorts, group: readonly Bound[]): Promise<Answers> {
  const [only] = group;
  if (only !== undefined && group.length === 1) return takeOne(ports, only);
  const results = await Promise.allSettled(group.map((bound) => take(ports, bound)));
  const answers = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  return { answers, failure: results.find((result) => result.status === 'rejected') ?? null };
}

async function takeOne(ports: ChargePorts, bound: Bound): Promise<Answers> {
  try {
    return { answers: [await take(ports, bound)], failure: null };
  } catch (reason) {
    return { answers: [], failure: { reason } };
  }
}

async function take({ limiter, clock }: ChargePorts, bound: Bound): Promise<Taken> {
  const { allowed, remaining, resetMs } = await limiter.take(bound.key, bound.rate);
  const state = { name: bound.name, limit: bound.rate.points, remaining, resetMs };
  return { bound, state, allowed, until: clock.elapsed() + resetMs };
}

async function giveBack(ports: ChargePorts, taken: readonly Taken[]): Promise<void> {
  const { limiter, clock, observer } = ports;
  // A point of a window that is over would be somebody's extra point in the next one.
  const current = taken.filter(({ until }) => clock.elapsed() < until);
  const results = await Promise.allSettled(current.map(({ bound }) => limiter.giveBack(bound.key, bound.rate)));
  for (const result of results) if (result.status === 'rejected') observer.faulted('rate limits', result.reason);
}

/** Ends what is pending once, however often it is said. */
function settling(ports: ChargePorts, taken: readonly Taken[]): Pick<Charge, 'giveBack' | 'keep'> {
  let settled = false;
  function keep(): void {
    if (!settled) for (const { bound } of taken) ports.pending?.remove(nameOf(bound));
    settled = true;
  }
  return { keep, giveBack: () => giveBack(ports, taken).finally(keep) };
}

function nameOf({ key, name }: Bound): string {
  return `${name} ${key}`;
}

function refusal({ observer, pending }: ChargePorts, refused: readonly Taken[]): AppError {
  const waits = refused.map(({ bound, state }) => ({ bound, state: pending?.has(nameOf(bound)) ? soon(state) : state }));
  const [worst] = waits.toSorted((left, right) => right.state.resetMs - left.state.resetMs);
  if (worst === undefined) throw new Error('A refusal names what is used up.');
  const { bound, state } = worst;
  observer.refused({ code: 'rate_limited', limit: bound.name });
  return rateExceeded(bound.excess, bound.rate, state);
}

function soon(state: RateState): RateState {
  return { ...state, resetMs: Math.min(state.resetMs, PENDING_MS) };
}
