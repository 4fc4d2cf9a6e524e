import type { Principal } from '../principal.ts';

/** Tells who a credential speaks for. */
export interface Credentials {
  /** Null when the key or token is unknown, malformed, expired, revoked or forged; never says which. Asks no store about what it saw lately. */
  verify(credential: string): Promise<Principal | null>;
  /** Whether `verify` would know this credential if its time were not over. */
  hasExpired(credential: string): Promise<boolean>;
  /** Call when keys or applications may have changed: what was revoked no longer counts when this resolves, and its signals have aborted. */
  refresh(): Promise<void>;
  /** Stops looking for changes and writes down when keys were last used. */
  close(): Promise<void>;
}
