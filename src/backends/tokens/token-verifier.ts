import { type ApplicationId, DEFAULT_APPLICATION, type KeyId, parseUuid } from '../../core/ids.ts';
import type { Principal, Scope } from '../../core/principal.ts';
import type { ApplicationDirectory, ApplicationRules } from './application-rules.ts';
import type { RemoteKeySets } from './jwks.ts';
import type { KeyDirectory, KnownKey } from './key-directory.ts';
import { doesKeyCount } from './key-principal.ts';
import { isProven } from './signature.ts';
import { readToken, type UnprovenToken } from './token-form.ts';
import { ISSUED_KEY_ID, issuingKey } from './token-issuer.ts';
import { isUserId } from './user-id.ts';

/** What a token of a user allows. */
const USER_SCOPES: readonly Scope[] = ['read', 'write'];
const MAX_APPLICATION_CHARACTERS = 255;

/** Whom a token speaks for, and whether what proved it still counts. */
export interface Verified {
  readonly principal: Principal;
  readonly isCurrent: () => boolean;
}

interface TokenVerifierOptions {
  readonly applications: ApplicationDirectory;
  readonly keys: KeyDirectory;
  readonly keySets: RemoteKeySets;
  /** What the key for the server's own tokens is derived from; null when it issues none. */
  readonly root: string | null;
}

interface Candidate {
  readonly token: UnprovenToken;
  readonly userId: string;
  readonly rules: ApplicationRules;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Checks a token (RFC 7519, hardened as RFC 8725 asks) as if it were `now`; null when anything is wrong. */
export type VerifyToken = (text: string, now: number) => Promise<Verified | null>;

export function createTokenVerifier({ applications, keys, keySets, root }: TokenVerifierOptions): VerifyToken {
  const ownKey = root === null ? null : issuingKey(root);
  const isLatest = (rules: ApplicationRules) => applications.peek(rules.id) === rules;

  async function bySecret({ token, userId, rules, now }: Candidate): Promise<Verified | null> {
    // A shared secret has no name, so a key id in such a token can only be an attempt to choose.
    if (token.kid !== null || !(await isProven(token, rules.secrets, { ...rules, now }))) return null;
    return { principal: principalOf({ token, userId, rules }, null), isCurrent: () => isLatest(rules) };
  }

  async function byKeySet({ token, userId, rules, now }: Candidate): Promise<Verified | null> {
    if (rules.jwksUrl === null) return null;
    const set = keySets.at(rules.jwksUrl);
    const found = await set.candidates(token);
    if (!(await isProven(token, found.keys, { ...rules, now }))) return null;
    return { principal: principalOf({ token, userId, rules }, null), isCurrent: () => isLatest(rules) && set.isCurrent(found.state) };
  }

  async function byServer({ token, userId, rules, now }: Candidate): Promise<Verified | null> {
    if (ownKey === null || !(await isProven(token, [ownKey], { issuer: null, audience: null, now }))) return null;
    if (!Object.hasOwn(token.claims, 'key')) {
      return { principal: principalOf({ token, userId, rules }, null), isCurrent: () => isLatest(rules) };
    }
    const id = parseUuid<KeyId>(token.claims.key);
    const known = id && (await keys.byId(id));
    if (!known || !mayHaveIssued(known, { token, userId, rules, now })) return null;
    return { principal: principalOf({ token, userId, rules }, known), isCurrent: () => isLatest(rules) && keys.isCurrent(known) };
  }

  return async (text, now) => {
    const token = readToken(text);
    const userId = token && userOf(token);
    const application = token && applicationOf(token);
    if (!token || userId === null || application === null) return null;
    const rules = await applications.find(application);
    if (rules === null) return null;
    const candidate = { token, userId, rules, now };
    if (token.alg !== 'HS256') return await byKeySet(candidate);
    return token.kid === ISSUED_KEY_ID ? await byServer(candidate) : await bySecret(candidate);
  };
}

function userOf({ claims }: UnprovenToken): string | null {
  const userId = Object.hasOwn(claims, 'user_id') ? claims.user_id : claims.sub;
  return isUserId(userId) ? userId : null;
}

function applicationOf({ claims }: UnprovenToken): ApplicationId | null {
  if (!Object.hasOwn(claims, 'application')) return DEFAULT_APPLICATION;
  const name = claims.application;
  const isName = typeof name === 'string' && name.isWellFormed() && !name.includes('\0');
  return isName && name !== '' && name.length <= MAX_APPLICATION_CHARACTERS ? (name as ApplicationId) : null;
}

function mayHaveIssued({ key, revoked }: KnownKey, { userId, rules, now }: Candidate): boolean {
  if (!doesKeyCount(key, now) || revoked.aborted || key.applicationId !== rules.id) return false;
  return key.userId === null || key.userId === userId;
}

function principalOf({ token, userId, rules }: Omit<Candidate, 'now'>, issuer: KnownKey | null): Principal {
  const ends = Number(token.claims.exp) * 1000;
  const key = issuer?.key ?? null;
  return {
    kind: 'user',
    by: 'token',
    userId,
    applicationId: rules.id,
    keyId: key?.id ?? null,
    scopes: new Set(USER_SCOPES.filter((scope) => key === null || key.scopes.includes(scope))),
    dialects: key?.dialects == null ? null : new Set(key.dialects),
    tier: key?.tier ?? rules.tier,
    expiresAt: key?.expiresAt == null ? ends : Math.min(ends, key.expiresAt),
    revoked: issuer?.revoked ?? null,
  };
}
