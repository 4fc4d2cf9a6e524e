import { hash, timingSafeEqual } from 'node:crypto';
import { ACCESS_SUBJECT } from '../../core/access.ts';
import { DEFAULT_APPLICATION } from '../../core/ids.ts';
import { DEVELOPMENT_TIER } from '../../core/limits.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Credentials } from '../../core/ports/credentials.ts';
import type { SecretBox } from '../../core/ports/secrets.ts';
import type { Store } from '../../core/ports/store.ts';
import { type Principal, SCOPES } from '../../core/principal.ts';
import { watchAccessChanges } from './access-changes.ts';
import { API_KEY_PREFIX, digestOf, hasKeyForm } from './api-key.ts';
import { createApplicationDirectory } from './application-directory.ts';
import type { ApplicationRules, DefaultTokenRules } from './application-rules.ts';
import type { Roots } from './derived-key.ts';
import { isExpiredToken } from './expired-token.ts';
import { createRemoteKeySets } from './jwks.ts';
import { createKeyDirectory, type KnownKey } from './key-directory.ts';
import { doesKeyCount, principalOfKey } from './key-principal.ts';
import { createKeyUses } from './key-uses.ts';
import type { OnFault } from './on-fault.ts';
import { createTokenVerifier, type Verified, type VerifyToken } from './token-verifier.ts';

const MAX_CREDENTIAL_CHARACTERS = 8192;
const MAX_REMEMBERED = 10_000;

interface CredentialsOptions extends DefaultTokenRules {
  readonly store: Store;
  readonly developmentKey: string | null;
  /** What the keys for the server's own tokens are derived from. */
  readonly roots: Roots;
  readonly box: SecretBox;
  readonly clock: Clock;
  readonly onFault: OnFault;
}

/** Knows the development key, when there is one, the API keys of the store, and the tokens of every application's users. */
export function createCredentials(options: CredentialsOptions): Credentials {
  const { store, clock, onFault, developmentKey } = options;
  const development = developmentKey !== null;
  const keys = createKeyDirectory({ store, clock });
  const applications = createApplicationDirectory({ store, clock, onFault, box: options.box, ofDefault: options });
  const keySets = createRemoteKeySets({ clock, onFault });
  const verifyToken = createTokenVerifier({ applications, keys, keySets, roots: options.roots, development });
  const verifyTokenOnce = rememberVerified(verifyToken, clock);
  const uses = createKeyUses({ store, clock, onFault });
  const changes = watchAccessChanges({
    version: () => store.accessVersion(),
    reread: async () => {
      await Promise.all([keys.refresh(), applications.refresh()]);
    },
    shared: store.capabilities.shared,
    clock,
    onFault,
  });
  const unsubscribe = store.hints?.subscribe((subject) => {
    // A failure was reported, and is made up for by looking again.
    if (subject === ACCESS_SUBJECT) void changes.look().catch(() => undefined);
  });
  const developmentDigest = developmentKey === null ? null : sha256(developmentKey);
  const principalOf = rememberPrincipals();

  async function verifyKey(secret: string): Promise<Principal | null> {
    const known = hasKeyForm(secret) ? await keys.byDigest(digestOf(secret)) : null;
    if (known === null || !doesKeyCount(known.key, { now: clock.now(), development })) return null;
    const rules = await applications.find(known.key.applicationId);
    if (rules === null || known.revoked.aborted) return null;
    uses.note(known.key.id);
    return principalOf(known, rules);
  }

  async function hasKeyExpired(secret: string): Promise<boolean> {
    const known = hasKeyForm(secret) ? await keys.byDigest(digestOf(secret)) : null;
    const expiresAt = known?.key.expiresAt ?? null;
    return known !== null && expiresAt !== null && known.key.revokedAt === null && expiresAt <= clock.now();
  }

  return {
    async verify(credential) {
      if (credential.length > MAX_CREDENTIAL_CHARACTERS) return null;
      if (developmentDigest !== null && timingSafeEqual(sha256(credential), developmentDigest)) return DEVELOPER;
      return credential.startsWith(API_KEY_PREFIX) ? await verifyKey(credential) : await verifyTokenOnce(credential);
    },
    hasExpired: (credential) =>
      credential.startsWith(API_KEY_PREFIX) ? hasKeyExpired(credential) : isExpiredToken(credential, verifyToken, clock.now()),
    refresh: changes.look,
    async close() {
      unsubscribe?.();
      keySets.close();
      await changes.close();
      await uses.close();
    },
  };
}

const DEVELOPER: Principal = {
  kind: 'key',
  applicationId: DEFAULT_APPLICATION,
  by: 'key',
  keyId: null,
  scopes: new Set(SCOPES),
  dialects: null,
  tier: DEVELOPMENT_TIER,
  expiresAt: null,
  revoked: null,
};

function sha256(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

/** One principal for all requests of a key, until the key or its application change. */
function rememberPrincipals(): (known: KnownKey, rules: ApplicationRules) => Principal {
  const principals = new WeakMap<KnownKey, { rules: ApplicationRules; principal: Principal }>();
  return (known, rules) => {
    const remembered = principals.get(known);
    if (remembered?.rules === rules) return remembered.principal;
    const principal = principalOfKey(known, rules);
    principals.set(known, { rules, principal });
    return principal;
  };
}

/** Saves the signature check of tokens seen before, oldest forgotten first; holds digests, never tokens. */
function rememberVerified(verify: VerifyToken, clock: Clock): (token: string) => Promise<Principal | null> {
  const entries = new Map<string, Verified>();
  return async (token) => {
    const name = hash('sha256', token, 'base64');
    const known = entries.get(name);
    if (known?.isCurrent() && clock.now() < (known.principal.expiresAt ?? 0)) return known.principal;
    entries.delete(name);
    const verified = await verify(token, clock.now());
    if (verified === null) return null;
    const oldest = entries.keys().next();
    if (entries.size >= MAX_REMEMBERED && !oldest.done) entries.delete(oldest.value);
    entries.set(name, verified);
    return verified.principal;
  };
}
