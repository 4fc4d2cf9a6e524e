import { DEFAULT_TIER, type Rate, type RateState, type Tier, type UseLimits } from '../../core/limits.ts';
import type { Caller } from '../../core/principal.ts';
import type { EnginePorts } from '../engine.ts';
import { type Bound, type Charge, charge } from './charge.ts';
import { createConnectionCounter } from './connections.ts';
import { createPendingPoints } from './pending-points.ts';

/** What callers may use, by their tier. */
export interface Limits {
  /** Charges a request. Rejects with `rate_limited`. */
  request(caller: Caller): Promise<RateState | null>;
  /** Charges a message, until it turns out not to be stored. Rejects with `rate_limited`, or `overloaded` when nobody can count. */
  message(caller: Caller): Promise<Charge>;
  /** Counts a connection until the function it returns is called. Throws `too_many_connections`. */
  connect(caller: Caller): () => void;
  /** Runs that may be unfinished; null is without bound. */
  unfinished(caller: Caller): { readonly user: number | null; readonly application: number | null };
}

/** Who a limit counts for. User and application are counted apart; neither's refusal costs the other anything. */
interface Subject {
  readonly kind: 'user' | 'application';
  readonly key: string;
  readonly limits: UseLimits;
}

const MINUTE = 60;
const HOUR = 3600;

export function createLimits({ rates, tiers, clock, observer }: Pick<EnginePorts, 'rates' | 'tiers' | 'clock' | 'observer'>): Limits {
  const countConnection = createConnectionCounter({ observer });
  const pending = createPendingPoints();
  return {
    async request(caller) {
      // The application first, so that its bound also bounds how many users' windows there are to remember.
      const groups = subjectsOf(tiers, caller).toReversed().map(requestBounds);
      return (await charge({ limiter: rates.requests, clock, observer }, groups)).state;
    },
    // The user first, so that somebody who is refused again and again does not touch what all others count on.
    message: (caller) => charge({ limiter: rates.messages, clock, observer, pending }, subjectsOf(tiers, caller).map(messageBounds)),
    connect: (caller) => countConnection(subjectsOf(tiers, caller).flatMap(connectionBounds)),
    unfinished(caller) {
      const { user, application } = tierOf(tiers, caller.tier);
      return { user: caller.named ? user.concurrentRuns : null, application: application.concurrentRuns };
    },
  };
}

function tierOf(tiers: ReadonlyMap<string, Tier>, name: string): Tier {
  const tier = tiers.get(name) ?? tiers.get(DEFAULT_TIER);
  if (!tier) throw new Error(`There must be a tier named ${DEFAULT_TIER}.`);
  return tier;
}

/** A user is only counted when the caller is one. */
function subjectsOf(tiers: ReadonlyMap<string, Tier>, caller: Caller): readonly Subject[] {
  const { applicationId, userId, named } = caller;
  const tier = tierOf(tiers, caller.tier);
  const application = { kind: 'application', key: JSON.stringify([applicationId]), limits: tier.application } as const;
  return named ? [{ kind: 'user', key: JSON.stringify([applicationId, userId]), limits: tier.user }, application] : [application];
}

function requestBounds(subject: Subject): readonly Bound[] {
  return rateBound(subject, 'requests', { points: subject.limits.requestsPerMinute, seconds: MINUTE });
}

function messageBounds(subject: Subject): readonly Bound[] {
  return [
    ...rateBound(subject, 'messages', { points: subject.limits.messagesPerMinute, seconds: MINUTE }),
    ...rateBound(subject, 'messages', { points: subject.limits.messagesPerHour, seconds: HOUR }),
  ];
}

interface OpenRate {
  readonly points: number | null;
  readonly seconds: Rate['seconds'];
}

function rateBound({ kind, key }: Subject, what: 'requests' | 'messages', { points, seconds }: OpenRate): readonly Bound[] {
  if (points === null) return [];
  const excess = kind === 'user' ? `Too many ${what}` : `Too many ${what} of this application`;
  return [{ key, name: named(kind, `${what}-per-${seconds === MINUTE ? 'minute' : 'hour'}`), rate: { points, seconds }, excess }];
}

function connectionBounds({ kind, key, limits }: Subject) {
  return limits.connections === null ? [] : [{ key, name: named(kind, 'connections'), limit: limits.connections }];
}

function named(kind: Subject['kind'], name: string): string {
  return kind === 'user' ? name : `application-${name}`;
}
