import type { ApplicationId, KeyId } from './ids.ts';
import type { Scope } from './principal.ts';

/** An API key as it is stored: everything but the secret itself. Times are milliseconds since 1970. */
export interface ApiKey {
  readonly id: KeyId;
  readonly applicationId: ApplicationId;
  /** For people, 1 to 100 characters. */
  readonly name: string;
  /** The end of the secret, so that its owner can tell keys apart. */
  readonly hint: string;
  readonly scopes: readonly Scope[];
  /** The dialects it may be used in; null for all. */
  readonly dialects: readonly string[] | null;
  /** The one user it acts for, as a key meant for a browser does; null for a server's key. */
  readonly userId: string | null;
  /** Null for the application's tier. */
  readonly tier: string | null;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  /** When it was last used, to about a minute. */
  readonly lastUsedAt: number | null;
  readonly revokedAt: number | null;
}

/** How tokens of an application's users are verified. The default application's secrets and JWKS come from the settings instead. */
export interface TokenRules {
  /** Where its public keys are (RFC 7517); null for none. */
  readonly jwksUrl: string | null;
  /** Its HS256 secrets, at most two so that one can follow the other, sealed by a `SecretBox`. */
  readonly sealedSecrets: readonly string[];
  /** Required as `iss` when set. */
  readonly issuer: string | null;
  /** Required among `aud` when set. */
  readonly audience: string | null;
}

/** A tenant. */
export interface Application {
  readonly id: ApplicationId;
  /** For people, 1 to 100 characters. */
  readonly name: string;
  /** Null for the tier `default`. */
  readonly tier: string | null;
  readonly tokens: TokenRules;
  readonly createdAt: number;
}

/** Who administers over HTTP: a key of the application; null is the development key. */
export interface Administrator {
  readonly applicationId: ApplicationId;
  readonly keyId: KeyId | null;
}

/** One change of keys or applications, for whoever must be able to tell later who did it. */
export interface AccessChange {
  readonly what: 'key created' | 'key revoked' | 'application created' | 'application changed';
  readonly applicationId: ApplicationId;
  /** The key that was made or revoked; null for an application. */
  readonly keyId: KeyId | null;
  /** Null for the operator, who uses the command. */
  readonly by: Administrator | null;
}

/** What is to be different about an application; what is left out stays as it is. */
export interface ApplicationChanges extends Partial<Pick<Application, 'name' | 'tier'>> {
  readonly tokens?: Partial<TokenRules>;
}

/** What servers that share a store hint to each other when keys or applications have changed. */
export const ACCESS_SUBJECT = 'access';
