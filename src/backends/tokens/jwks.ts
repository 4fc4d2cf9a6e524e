import type { KeyObject } from 'node:crypto';
import { AppError } from '../../core/errors.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { createKeySetFetching, type KeySetState, PATIENCE_MS } from './key-set-fetching.ts';
import type { OnFault } from './on-fault.ts';

/** From this age on a set is fetched again while it still counts. */
const RENEW_MS = 480_000;
/** From this age on it counts only when the server cannot be reached. */
const FRESH_MS = 600_000;
/** From this age on it does not count at all. */
const LAST_RESORT_MS = 86_400_000;
/** What came so lately holds every key there is. */
const NEW_MS = 1_000;
/** Tokens without a key id are tried with every key that fits, so that one token costs no more than this. */
const MAX_CANDIDATES = 4;
const MAX_SETS = 1_000;

/** How often keys are looked at on which somebody relies. */
const LOOK_MS = 60_000;

interface Candidate {
  readonly key: KeyObject;
  /** Aborts when the key no longer counts. */
  readonly revoked: AbortSignal;
}

/** Public keys behind an address. */
interface RemoteKeySet {
  /**
   * The keys that may have signed a token with this header, and the state they belong to. Rejects with `overloaded` while nobody knows the
   * keys because their server cannot be reached.
   */
  candidates(header: { alg: string; kid: string | null }): Promise<{ keys: readonly Candidate[]; state: KeySetState }>;
  /** Whether what this state verified still counts. */
  isCurrent(state: KeySetState): boolean;
  /** Somebody relies on the keys until then, in milliseconds since 1970: they are fetched again in time without being asked for. */
  watch(until: number): void;
}

interface WatchedKeySet extends RemoteKeySet {
  /** Fetches the keys again when somebody relies on them and it is time. */
  look(): void;
  /** Ends the keys. */
  forget(): void;
}

/** The key sets that applications name. */
export interface RemoteKeySets {
  at(url: string): RemoteKeySet;
  /** Ends what is under way. */
  close(): void;
}

interface RemoteKeySetsOptions {
  readonly clock: Clock;
  readonly onFault: OnFault;
}

export function createRemoteKeySets({ clock, onFault }: RemoteKeySetsOptions): RemoteKeySets {
  const closing = new AbortController();
  /** The longest unused first. */
  const sets = new Map<string, WatchedKeySet>();
  const stopLooking = clock.every(LOOK_MS, async () => {
    for (const set of sets.values()) set.look();
  });
  return {
    at(url) {
      const known = sets.get(url);
      const set = known ?? createRemoteKeySet(url, { clock, onFault, signal: closing.signal });
      sets.delete(url);
      const [oldest] = sets;
      if (sets.size >= MAX_SETS && oldest !== undefined) {
        sets.delete(oldest[0]);
        oldest[1].forget();
      }
      sets.set(url, set);
      return set;
    },
    close() {
      stopLooking();
      closing.abort(new Error('The server stops.'));
    },
  };
}

function createRemoteKeySet(url: string, options: RemoteKeySetsOptions & { signal: AbortSignal }): WatchedKeySet {
  const { clock } = options;
  const fetching = createKeySetFetching(url, options);
  let unknownSince = Number.NEGATIVE_INFINITY;
  let neededUntil = Number.NEGATIVE_INFINITY;

  function usable(): KeySetState | null {
    return fetching.age() < LAST_RESORT_MS ? fetching.state() : null;
  }

  /** The state to verify with, fetched when it is time. */
  async function upToDate(): Promise<KeySetState> {
    if (fetching.age() >= RENEW_MS && fetching.mayTry()) {
      const attempt = fetching.fetch();
      if (fetching.age() >= FRESH_MS) await attempt;
    }
    const state = usable();
    if (state !== null) return state;
    throw new AppError('overloaded', 'The keys that verify this token cannot be fetched right now; send this again later', {
      retryAfterSeconds: PATIENCE_MS / 1000,
    });
  }

  return {
    async candidates(header) {
      const state = await upToDate();
      const keys = select(state, header);
      const unknown = keys.length === 0 && header.kid !== null && state.keys.every(({ verification }) => verification.kid !== header.kid);
      if (!unknown || fetching.age() < NEW_MS || clock.elapsed() - unknownSince < PATIENCE_MS) return { keys, state };
      unknownSince = clock.elapsed();
      await fetching.fetch();
      const renewed = usable() ?? state;
      return { keys: select(renewed, header), state: renewed };
    },
    isCurrent(state) {
      const age = fetching.age();
      if (age >= RENEW_MS && fetching.mayTry()) void fetching.fetch();
      return state === fetching.state() && age < LAST_RESORT_MS && (age < FRESH_MS || !fetching.mayTry());
    },
    watch(until) {
      neededUntil = Math.max(neededUntil, until);
    },
    look() {
      if (fetching.age() >= LAST_RESORT_MS) fetching.forget();
      if (clock.now() < neededUntil && fetching.age() >= RENEW_MS && fetching.mayTry()) void fetching.fetch();
    },
    forget: fetching.forget,
  };
}

/** Without a key id, every key that fits, unless they are too many to try. */
function select({ keys }: KeySetState, { alg, kid }: { alg: string; kid: string | null }): readonly Candidate[] {
  const named = keys.filter(({ verification }) => kid === null || verification.kid === kid);
  const fitting = named.flatMap(({ verification, end }) => {
    const key = verification.forAlgorithm(alg);
    return key === null ? [] : { key, revoked: end.signal };
  });
  return fitting.length > MAX_CANDIDATES ? [] : fitting;
}
