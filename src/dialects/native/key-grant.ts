import type { ApiKey } from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import type { Principal, Scope } from '../../core/principal.ts';
import type { CreateKey } from '../../engine/index.ts';
import { parseTime } from '../../http/time.ts';
import { type CreateKeyBody, invalid } from './wire.ts';

const USUAL_SCOPES: readonly Scope[] = ['read', 'write'];

/**
 * The key that a body asks for, with nothing that its asker lacks: `own` is the asking key, null for the development key, whose keys are of
 * its tier. What the body leaves out comes from the asker. Throws `scope_denied`, `validation_failed`.
 */
export function toCreateKey(body: CreateKeyBody, asker: Principal, own: ApiKey | null): CreateKey {
  const { name, user_id = null } = body;
  // Acting for one user is a part of acting for any.
  if (user_id !== null && !asker.scopes.has('act_as')) throw denied('act for a user');
  return {
    applicationId: asker.applicationId,
    name,
    userId: user_id,
    scopes: scopesFor(body, asker),
    dialects: dialectsFor(body, asker),
    tier: tierFor(body, asker, own),
    expiresAt: expiryFor(body, asker),
  };
}

function scopesFor({ scopes }: CreateKeyBody, asker: Principal): readonly Scope[] {
  const granted = scopes ?? USUAL_SCOPES.filter((scope) => asker.scopes.has(scope));
  const missing = granted.find((scope) => !asker.scopes.has(scope));
  if (missing) throw denied(`have the scope ${missing}`);
  return granted;
}

function dialectsFor({ dialects }: CreateKeyBody, asker: Principal): readonly string[] | null {
  const own = asker.dialects;
  if (!own) return dialects ?? null;
  if (dialects === null) throw denied('count in every dialect');
  const missing = dialects?.find((dialect) => !own.has(dialect));
  if (missing !== undefined) throw denied('count in a dialect in which yours does not');
  return dialects ?? [...own];
}

function tierFor({ tier }: CreateKeyBody, asker: Principal, own: ApiKey | null): string | null {
  const usual = own === null ? asker.tier : own.tier;
  if (tier === undefined || tier === usual || tier === asker.tier) return tier === undefined ? usual : tier;
  throw denied('be of another tier');
}

function expiryFor({ expires_at }: CreateKeyBody, asker: Principal): number | null {
  const asked = typeof expires_at === 'string' ? parseTime(expires_at) : null;
  if (typeof expires_at === 'string' && asked === null) throw invalid('expires_at', 'must be an RFC 3339 time');
  if (asker.expiresAt === null || expires_at === undefined) return asked ?? asker.expiresAt;
  if (asked === null || asked > asker.expiresAt) throw denied('live longer');
  return asked;
}

function denied(what: string): AppError {
  return new AppError('scope_denied', `A key that yours makes cannot ${what}.`);
}
