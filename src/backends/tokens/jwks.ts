import type { KeyObject } from 'node:crypto';
import { AppError } from '../../core/errors.ts';
import { jwksUrlProblem } from '../../core/jwks-url.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { VerificationKey } from './jwk.ts';
import { downloadKeySet } from './jwks-download.ts';
import type { OnFault } from './on-fault.ts';

/** From this age on a set is fetched again while it still counts. */
const RENEW_MS = 480_000;
/** From this age on it counts only when the server cannot be reached. */
const FRESH_MS = 600_000;
/** From this age on it does not count at all. */
const LAST_RESORT_MS = 86_400_000;
/** Between two tries after a failure, and between two for key ids that nobody knows. */
const PATIENCE_MS = 30_000;
/** What came so lately holds every key there is. */
const NEW_MS = 1_000;
/** Tokens without a key id are tried with every key that fits, so that one token costs no more than this. */
const MAX_CANDIDATES = 4;
const MAX_SETS = 1_000;

/** One state of a remote key set; another fetch gives another one. */
interface KeySetState {
  readonly keys: readonly VerificationKey[];
}

/** Public keys behind an address. */
interface RemoteKeySet {
  /**
   * The keys that may have signed a token with this header, and the state they belong to. Rejects with `overloaded` while nobody knows the
   * keys because their server cannot be reached.
   */
  candidates(header: { alg: string; kid: string | null }): Promise<{ keys: readonly KeyObject[]; state: KeySetState }>;
  /** Whether what this state verified still counts. */
  isCurrent(state: KeySetState): boolean;
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
  const sets = new Map<string, RemoteKeySet>();
  return {
    at(url) {
      const known = sets.get(url);
      const set = known ?? createRemoteKeySet(url, { clock, onFault, signal: closing.signal });
      const oldest = sets.keys().next();
      if (known === undefined && sets.size >= MAX_SETS && !oldest.done) sets.delete(oldest.value);
      sets.set(url, set);
      return set;
    },
    close: () => closing.abort(new Error('The server stops.')),
  };
}

function createRemoteKeySet(url: string, options: RemoteKeySetsOptions & { signal: AbortSignal }): RemoteKeySet {
  const { clock } = options;
  const fetching = createFetching(url, options);
  let unknownSince = Number.NEGATIVE_INFINITY;

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
      const unknown = keys.length === 0 && header.kid !== null && state.keys.every(({ kid }) => kid !== header.kid);
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
  };
}

/** Without a key id, every key that fits, unless they are too many to try. */
function select({ keys }: KeySetState, { alg, kid }: { alg: string; kid: string | null }): readonly KeyObject[] {
  const named = keys.filter((key) => kid === null || key.kid === kid);
  const fitting = named.flatMap((key) => key.forAlgorithm(alg) ?? []);
  return fitting.length > MAX_CANDIDATES ? [] : fitting;
}

/** One fetch at a time. A failure is reported once, until one succeeds. */
function createFetching(url: string, { clock, onFault, signal }: RemoteKeySetsOptions & { signal: AbortSignal }) {
  let state: KeySetState | null = null;
  let fetchedAt = Number.NEGATIVE_INFINITY;
  let failedAt = Number.NEGATIVE_INFINITY;
  let reported = false;
  let current: Promise<void> | null = null;

  async function attempt(): Promise<void> {
    try {
      const problem = jwksUrlProblem(url);
      if (problem !== null) throw new Error(`the address ${problem}`);
      state = { keys: await downloadKeySet(url, { clock, signal }) };
      fetchedAt = clock.elapsed();
      failedAt = Number.NEGATIVE_INFINITY;
      reported = false;
    } catch (error) {
      failedAt = clock.elapsed();
      if (!reported && !signal.aborted) onFault(`the keys at ${placeOf(url)} cannot be fetched`, error);
      reported = true;
    } finally {
      current = null;
    }
  }

  return {
    state: () => state,
    age: () => clock.elapsed() - fetchedAt,
    mayTry: () => clock.elapsed() - failedAt >= PATIENCE_MS,
    fetch: (): Promise<void> => {
      current ??= attempt();
      return current;
    },
  };
}

/** Without the query, which may hold a secret. */
function placeOf(url: string): string {
  const parsed = URL.parse(url);
  return parsed === null ? 'an address that is none' : parsed.origin + parsed.pathname;
}
