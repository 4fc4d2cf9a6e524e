/** How often something may be done: `points` in each window of `seconds`. */
export interface Rate {
  readonly points: number;
  readonly seconds: number;
}

/** Where somebody stands under the tightest of the rates that apply. */
export interface RateState {
  /** The name of the rate, such as `messages-per-minute`. */
  readonly name: string;
  readonly limit: number;
  /** What is left in this window; 0 is the last that was allowed, and stays 0 when something is refused. */
  readonly remaining: number;
  /** Milliseconds until the window is over and all of `limit` is there again. */
  readonly resetMs: number;
}

/** Of what applies at once the allowance that refuses first; of those that are used up, the one that takes longest to come back. */
export function tightest(states: readonly (RateState | null)[]): RateState | null {
  return states.reduce((tightest, state) => (state && (!tightest || !isTighter(tightest, state)) ? state : tightest), null);
}

function isTighter(rate: RateState, than: RateState): boolean {
  return rate.remaining < than.remaining || (rate.remaining === than.remaining && rate.remaining === 0 && rate.resetMs > than.resetMs);
}

/** What one user, or one application as a whole, may use; null is without bound. */
export interface UseLimits {
  /** HTTP requests, and frames of WebSockets that ask for something: pings cost nothing. */
  readonly requestsPerMinute: number | null;
  /** Messages that a run answers. */
  readonly messagesPerMinute: number | null;
  readonly messagesPerHour: number | null;
  /** Runs that have not ended, queued ones included. */
  readonly concurrentRuns: number | null;
  /** Open event streams and WebSockets of one server process. */
  readonly connections: number | null;
}

/** An allowance that applications and keys refer to by name. */
export interface Tier {
  readonly user: UseLimits;
  readonly application: UseLimits;
}

/** What applies to whoever has no tier of their own, or one that no longer exists. */
export const DEFAULT_TIER = 'default';
/** What applies to the development key; without bounds unless configured. */
export const DEVELOPMENT_TIER = 'development';
