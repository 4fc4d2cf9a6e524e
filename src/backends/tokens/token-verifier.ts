import type { ApiKey } from '../../core/access.ts';
import { type ApplicationId, DEFAULT_APPLICATION, isReservedUser, type KeyId, parseUuid } from '../../core/ids.ts';
import type { Principal, Scope } from '../../core/principal.ts';
import type { ApplicationDirectory } from './application-directory.ts';
import type { ApplicationRules } from './application-rules.ts';
import type { Roots } from './derived-key.ts';
import { createJoinedSignals } from './joined-signals.ts';
import type { RemoteKeySets } from './jwks.ts';
import type { KeyDirectory, KnownKey } from './key-directory.ts';
import { doesKeyCount } from './key-principal.ts';
import { endOf, findProof } from './signature.ts';
import { readToken, type UnprovenToken } from './token-form.ts';
import { DEVELOPMENT_CLAIM, ISSUED_KEY_ID, issuingKeys } from './token-issuer.ts';
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
  /** What the keys for the server's own tokens are derived from. */
  readonly roots: Roots;
  /** Whether there is a development key. */
  readonly development: boolean;
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

export function createTokenVerifier({ applications, keys, keySets, roots, development }: TokenVerifierOptions): VerifyToken {
  const ownKeys = issuingKeys(roots).map((key) => ({ key }));
  const join = createJoinedSignals();

  async function bySecret(candidate: Candidate): Promise<Verified | null> {
    const { token, rules, now } = candidate;
    // A shared secret has no name, so a key id in such a token can only be an attempt to choose.
    if (token.kid !== null) return null;
    const secrets = rules.secrets.map(({ proof, end }) => ({ key: proof, end }));
    const proof = await findProof(token, secrets, { ...rules, now });
    if (proof === null || proof.end?.signal.aborted) return null;
    return { principal: principalOf(candidate, { revoked: proof.end?.signal ?? null }), isCurrent: () => applications.isCurrent(rules) };
  }

  async function byKeySet(candidate: Candidate): Promise<Verified | null> {
    const { token, rules, now } = candidate;
    if (rules.keySet === null) return null;
    const set = keySets.at(rules.keySet.proof);
    const found = await set.candidates(token);
    const proof = await findProof(token, found.keys, { ...rules, now });
    const revoked = proof && join(rules.keySet.end?.signal ?? null, proof.revoked);
    if (revoked === null || revoked.aborted) return null;
    set.watch(endOf(token));
    return { principal: principalOf(candidate, { revoked }), isCurrent: () => applications.isCurrent(rules) && set.isCurrent(found.state) };
  }

  async function byServer(candidate: Candidate): Promise<Verified | null> {
    const { token, rules, now } = candidate;
    if ((await findProof(token, ownKeys, { issuer: null, audience: null, now })) === null) return null;
    if (Object.hasOwn(token.claims, DEVELOPMENT_CLAIM) && !development) return null;
    if (!Object.hasOwn(token.claims, 'key')) {
      return { principal: principalOf(candidate, { revoked: null }), isCurrent: () => applications.isCurrent(rules) };
    }
    const id = parseUuid<KeyId>(token.claims.key);
    const known = id && (await keys.byId(id));
    if (!known || !doesKeyCount(known.key, { now, development }) || !mayHaveIssued(known, candidate)) return null;
    return { principal: principalOf(candidate, known), isCurrent: () => applications.isCurrent(rules) && keys.isCurrent(known) };
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
  return isUserId(userId) && !isReservedUser(userId) ? userId : null;
}

function applicationOf({ claims }: UnprovenToken): ApplicationId | null {
  if (!Object.hasOwn(claims, 'application')) return DEFAULT_APPLICATION;
  const name = claims.application;
  const isName = typeof name === 'string' && name.isWellFormed() && !name.includes('\0');
  return isName && name !== '' && name.length <= MAX_APPLICATION_CHARACTERS ? (name as ApplicationId) : null;
}

function mayHaveIssued({ key, revoked }: KnownKey, { userId, rules }: Candidate): boolean {
  if (revoked.aborted || key.applicationId !== rules.id) return false;
  return key.userId === null || key.userId === userId;
}

/** `key` is the one that asked the server for the token, `revoked` aborts when what proves the token counts no more. */
function principalOf({ token, userId, rules }: Candidate, proof: { key?: ApiKey; revoked: AbortSignal | null }): Principal {
  const ends = endOf(token);
  const { key = null, revoked } = proof;
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
    revoked,
  };
}
