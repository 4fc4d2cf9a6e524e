import type { ApplicationId, KeyId } from '../ids.ts';

/** Makes API keys. */
export interface KeyMaker {
  /** `secret` is shown once and never stored; `digest` is what finds it again, `hint` its last characters. */
  make(): { readonly secret: string; readonly digest: string; readonly hint: string };
}

/** What a short-lived token of one user says. */
export interface TokenClaims {
  readonly applicationId: ApplicationId;
  readonly userId: string;
  /** The key that asked for it: the token can do no more than the key, and ends with it. Null for the development key and the command line. */
  readonly keyId: KeyId | null;
  readonly expiresInSeconds: number;
  /** Whether the development key asked for it: the token counts only while there is such a key. */
  readonly byDevelopmentKey?: boolean;
}

/** Signs tokens for users. */
export interface TokenIssuer {
  /** `expiresAt` is milliseconds since 1970. Rejects with `validation_failed`. */
  issue(claims: TokenClaims): Promise<{ readonly token: string; readonly expiresAt: number }>;
}

/** Keeps secrets of applications unreadable in the store and its backups. */
export interface SecretBox {
  seal(secret: string): string;
  /** Null when it was sealed with another secret than those that are set, or changed. */
  open(sealed: string): string | null;
}
