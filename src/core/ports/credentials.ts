import type { Principal } from '../principal.ts';

/** Tells who a credential speaks for. */
export interface Credentials {
  /** Null when the key or token is unknown, malformed, expired or forged; never says which. */
  verify(credential: string): Promise<Principal | null>;
  /** Whether `verify` would know this token if its time were not over. */
  hasExpired(credential: string): Promise<boolean>;
}
