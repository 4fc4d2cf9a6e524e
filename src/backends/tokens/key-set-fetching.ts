import { AppError } from '../../core/errors.ts';
import { jwksUrlProblem } from '../../core/jwks-url.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { VerificationKey } from './jwk.ts';
import { downloadKeySet } from './jwks-download.ts';
import type { OnFault } from './on-fault.ts';

/** Between two tries after a failure, in milliseconds. */
export const PATIENCE_MS = 30_000;

/** One state of a remote key set; another fetch gives another one. */
export interface KeySetState {
  readonly keys: readonly KnownKey[];
}

/** A key of a set, the same one as long as every fetch brings it. */
interface KnownKey {
  readonly verification: VerificationKey;
  /** Aborts when the set has no such key any more. */
  readonly end: AbortController;
}

interface FetchingOptions {
  readonly clock: Clock;
  readonly onFault: OnFault;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
}

/** Fetches a key set, once at a time. A failure is reported once, until a fetch succeeds. */
export function createKeySetFetching(url: string, { clock, onFault, signal }: FetchingOptions) {
  let state: KeySetState | null = null;
  let fetchedAt = Number.NEGATIVE_INFINITY;
  let failedAt = Number.NEGATIVE_INFINITY;
  let reported = false;
  let current: Promise<void> | null = null;

  function replace(found: readonly VerificationKey[]): void {
    const before = new Map((state?.keys ?? []).map((key) => [key.verification.identity, key]));
    const keys = found.map((verification) => before.get(verification.identity) ?? { verification, end: new AbortController() });
    state = { keys };
    for (const key of before.values()) if (!keys.includes(key)) key.end.abort(new AppError('auth_revoked', 'The key of the token is gone'));
  }

  async function attempt(): Promise<void> {
    try {
      const problem = jwksUrlProblem(url);
      if (problem !== null) throw new Error(`the address ${problem}`);
      replace(await downloadKeySet(url, { clock, signal }));
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
    forget(): void {
      replace([]);
      state = null;
      fetchedAt = Number.NEGATIVE_INFINITY;
    },
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
