import type { ApiKey } from '../../core/access.ts';
import { DEVELOPMENT_TIER } from '../../core/limits.ts';
import type { Principal, Scope } from '../../core/principal.ts';
import type { ApplicationRules } from './application-rules.ts';
import type { KnownKey } from './key-directory.ts';

/** What a key that is bound to one user can never do, whatever it says. */
const FOR_SERVERS_ONLY: readonly Scope[] = ['act_as', 'admin'];

interface Moment {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Whether there is a development key: what it made counts only beside it, because everybody could have made that. */
  readonly development: boolean;
}

/** Whether a key is neither revoked nor over, nor made with a development key that is gone. */
export function doesKeyCount(key: ApiKey, { now, development }: Moment): boolean {
  if (key.tier === DEVELOPMENT_TIER && !development) return false;
  return key.revokedAt === null && (key.expiresAt === null || now < key.expiresAt);
}

/** Whom a key speaks for: the user it is bound to, else whom its application names. */
export function principalOfKey({ key, revoked }: KnownKey, rules: ApplicationRules): Principal {
  const proof = {
    applicationId: key.applicationId,
    by: 'key',
    keyId: key.id,
    dialects: key.dialects === null ? null : new Set(key.dialects),
    tier: key.tier ?? rules.tier,
    expiresAt: key.expiresAt,
    revoked,
  } as const;
  if (key.userId === null) return { ...proof, kind: 'key', scopes: new Set(key.scopes) };
  const scopes = new Set(key.scopes.filter((scope) => !FOR_SERVERS_ONLY.includes(scope)));
  return { ...proof, kind: 'user', userId: key.userId, scopes };
}
