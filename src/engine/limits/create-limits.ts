import { DEFAULT_TIER, type Rate, type RateState, type Tier, type UseLimits } from '../../core/limits.ts';
import type { Caller } from '../../core/principal.ts';
import type { EnginePorts } from '../engine.ts';
import { type Bound, type Charge, charge } from './charge.ts';
import { type ConnectionBound, createConnectionCounter } from './connections.ts';
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

/** Who a limit counts for, and what bounds them. User and application are counted apart; neither's refusal costs the other anything. */
interface Subject {
  readonly requests: readonly Bound[];
  readonly messages: readonly Bound[];
  readonly connections: readonly ConnectionBound[];
}

interface Counted {
  readonly kind: 'user' | 'application';
  readonly key: string;
  readonly limits: UseLimits;
}

const MINUTE = 60;
const HOUR = 3600;

export function createLimits({ rates, tiers, clock, observer }: Pick<EnginePorts, 'rates' | 'tiers' | 'clock' | 'observer'>): Limits {
  const countConnection = createConnectionCounter({ observer });
  const pending = createPendingPoints();
  const subjectsOf = rememberSubjects(tiers);
  return {
    async request(caller) {
      const { user, application } = subjectsOf(caller);
      // The application first, so that its bound also bounds how many users' windows there are to remember.
      const groups = groupsOf(application.requests, user?.requests);
      if (groups.length === 0) return null;
      return (await charge({ limiter: rates.requests, clock, observer }, groups)).state;
    },
    async message(caller) {
      const { user, application } = subjectsOf(caller);
      // The user first, so that somebody who is refused again and again does not touch what all others count on.
      return charge({ limiter: rates.messages, clock, observer, pending }, groupsOf(user?.messages, application.messages));
    },
    connect(caller) {
      const { user, application } = subjectsOf(caller);
      return countConnection(user ? [...user.connections, ...application.connections] : application.connections);
    },
    unfinished(caller) {
      const { user, application } = tierOf(tiers, caller.tier);
      return { user: caller.named ? user.concurrentRuns : null, application: application.concurrentRuns };
    },
  };
}

/** Those that bound something, in this order. */
function groupsOf(...bounds: readonly (readonly Bound[] | undefined)[]): readonly (readonly Bound[])[] {
  return bounds.filter((group) => group !== undefined && group.length > 0) as readonly (readonly Bound[])[];
}

function tierOf(tiers: ReadonlyMap<string, Tier>, name: string): Tier {
  const tier = tiers.get(name) ?? tiers.get(DEFAULT_TIER);
  if (!tier) throw new Error(`There must be a tier named ${DEFAULT_TIER}.`);
  return tier;
}

interface Subjects {
  /** Null when the caller is nobody's user. */
  readonly user: Subject | null;
  readonly application: Subject;
}

/** What bounds a caller is found once, however often they ask: the frames of a socket all have the same one. */
function rememberSubjects(tiers: ReadonlyMap<string, Tier>): (caller: Caller) => Subjects {
  const known = new WeakMap<Caller, Subjects>();
  return (caller) => {
    const remembered = known.get(caller);
    if (remembered) return remembered;
    const { applicationId, userId, named } = caller;
    const tier = tierOf(tiers, caller.tier);
    const subjects = {
      user: named ? subjectOf({ kind: 'user', key: JSON.stringify([applicationId, userId]), limits: tier.user }) : null,
      application: subjectOf({ kind: 'application', key: JSON.stringify([applicationId]), limits: tier.application }),
    };
    known.set(caller, subjects);
    return subjects;
  };
}

const unbounded: Subject = { requests: [], messages: [], connections: [] };

function subjectOf(counted: Counted): Subject {
  if (Object.values(counted.limits).every((limit) => limit === null)) return unbounded;
  const { requestsPerMinute, messagesPerMinute, messagesPerHour } = counted.limits;
  return {
    requests: rateBound(counted, 'requests', { points: requestsPerMinute, seconds: MINUTE }),
    messages: [
      ...rateBound(counted, 'messages', { points: messagesPerMinute, seconds: MINUTE }),
      ...rateBound(counted, 'messages', { points: messagesPerHour, seconds: HOUR }),
    ],
    connections: connectionBounds(counted),
  };
}

interface OpenRate {
  readonly points: number | null;
  readonly seconds: Rate['seconds'];
}

function rateBound({ kind, key }: Counted, what: 'requests' | 'messages', { points, seconds }: OpenRate): readonly Bound[] {
  if (points === null) return [];
  const excess = kind === 'user' ? `Too many ${what}` : `Too many ${what} of this application`;
  return [{ key, name: named(kind, `${what}-per-${seconds === MINUTE ? 'minute' : 'hour'}`), rate: { points, seconds }, excess }];
}

function connectionBounds({ kind, key, limits }: Counted): readonly ConnectionBound[] {
  return limits.connections === null ? [] : [{ key, name: named(kind, 'connections'), limit: limits.connections }];
}

function named(kind: Counted['kind'], name: string): string {
  return kind === 'user' ? name : `application-${name}`;
}
