import type { ApplicationId } from './ids.ts';

/** Whose records a call may touch: one user of one application. Every query of the store carries it. */
export interface Owner {
  readonly applicationId: ApplicationId;
  /** The application's own name for the user, 1 to 255 characters, compared exactly. */
  readonly userId: string;
}

/** Who sent a request, as the credential proves it. */
export type Principal =
  /** An API key of an application; with `actAs` it may name the user it acts for. */
  | { readonly kind: 'key'; readonly applicationId: ApplicationId; readonly actAs: boolean }
  /** A JWT: always and only its own user, until `expiresAt` (milliseconds since 1970). */
  | { readonly kind: 'user'; readonly applicationId: ApplicationId; readonly userId: string; readonly expiresAt?: number };
