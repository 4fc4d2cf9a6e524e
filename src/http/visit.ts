import { isReservedUser } from '../core/ids.ts';
import type { RateState } from '../core/limits.ts';
import type { Caller, Owner, Principal } from '../core/principal.ts';
import type { CredentialCarrier } from './authenticate.ts';

/** What the doorkeeper has found out about a request, for whatever answers it. */
export interface Visit {
  principal: Principal | null;
  /** Whether its protocol tells that a credential's time is over. */
  tellsExpired: boolean;
  caller: Caller | null;
  /** The allowance that the answer's headers tell of; null without bound. */
  rate: RateState | null;
  /** Whether the response is counted among the caller's open connections. */
  counted: boolean;
  /** Whether the response went on as an event stream. */
  streamed: boolean;
}

const visits = new WeakMap<object, Visit>();

/** The facts about a request, empty until the doorkeeper has seen it. */
export function visitOf({ raw }: Pick<CredentialCarrier, 'raw'>): Visit {
  const known = visits.get(raw);
  if (known) return known;
  const visit: Visit = { principal: null, tellsExpired: false, caller: null, rate: null, counted: false, streamed: false };
  visits.set(raw, visit);
  return visit;
}

/** Makes the request that of a user whom nobody named, as far as streams are counted by user. */
export function noteUser(request: Pick<CredentialCarrier, 'raw'>, { userId }: Owner): void {
  const visit = visitOf(request);
  if (visit.caller) visit.caller = { ...visit.caller, userId, named: !isReservedUser(userId) };
}
