import type { ApplicationId, KeyId } from './ids.ts';

/** Whose records a call may touch: one user of one application. Every query of the store carries it. */
export interface Owner {
  readonly applicationId: ApplicationId;
  /** The application's own name for the user, 1 to 255 characters, compared exactly. */
  readonly userId: string;
}

/** An owner who asks for something, with what limits it. */
export interface Caller extends Owner {
  readonly tier: string;
  /** Whether limits of a single user apply; false for a key that acts for its application as a whole. */
  readonly named: boolean;
}

/**
 * What a credential allows: `read` (GET), `write` (everything else), `admin` (keys and tokens of its application), `act_as` (naming the user
 * it acts for).
 */
export const SCOPES = ['read', 'write', 'admin', 'act_as'] as const;
export type Scope = (typeof SCOPES)[number];

interface Proof {
  readonly applicationId: ApplicationId;
  /** What was shown: an API key, or a token. */
  readonly by: 'key' | 'token';
  /** The API key, or the one that the token was minted with; null for the development key and tokens signed by the application itself. */
  readonly keyId: KeyId | null;
  readonly scopes: ReadonlySet<Scope>;
  /** Dialects it counts in; null for all. */
  readonly dialects: ReadonlySet<string> | null;
  readonly tier: string;
  /** Milliseconds since 1970; null for what does not end by itself. */
  readonly expiresAt: number | null;
  /** Aborts within a second of the key's revocation; null for what cannot be revoked. */
  readonly revoked: AbortSignal | null;
}

/** Who sent a request, as the credential proves it. */
export type Principal =
  /** A server's API key: acts for the user it names when its scopes say so, else for its application. */
  | (Proof & { readonly kind: 'key' })
  /** A token, or a key that is bound to one user: always and only that user. */
  | (Proof & { readonly kind: 'user'; readonly userId: string });
