import type { ApiKey } from '../../core/access.ts';
import { type Principal, SCOPES } from '../../core/principal.ts';
import { formatTime } from '../../http/time.ts';

const timeOrNull = (ms: number | null) => (ms === null ? null : formatTime(ms));

/** A key without its secret. */
export function toKeyView(key: ApiKey): object {
  return {
    id: key.id,
    name: key.name,
    hint: key.hint,
    scopes: key.scopes,
    dialects: key.dialects,
    user_id: key.userId,
    tier: key.tier,
    created_at: formatTime(key.createdAt),
    expires_at: timeOrNull(key.expiresAt),
    last_used_at: timeOrNull(key.lastUsedAt),
    revoked_at: timeOrNull(key.revokedAt),
  };
}

/** What a credential is and may do. */
export function toCredentialView(principal: Principal): object {
  return {
    credential: principal.by,
    key_id: principal.keyId,
    application: principal.applicationId,
    user_id: principal.kind === 'user' ? principal.userId : null,
    scopes: SCOPES.filter((scope) => principal.scopes.has(scope)),
    dialects: principal.dialects && [...principal.dialects].sort(),
    tier: principal.tier,
    expires_at: timeOrNull(principal.expiresAt),
  };
}
