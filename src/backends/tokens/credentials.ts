import { createHash, timingSafeEqual } from 'node:crypto';
import { DEFAULT_APPLICATION } from '../../core/ids.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Credentials } from '../../core/ports/credentials.ts';
import type { Principal } from '../../core/principal.ts';
import { isExpiredToken } from './expired-token.ts';
import { verifyToken } from './jwt.ts';

const API_KEY_PREFIX = 'plg_';
const MAX_CREDENTIAL_CHARACTERS = 8192;
const MAX_REMEMBERED = 10_000;

interface CredentialsInput {
  /** HS256 secrets, any of which may have signed a token. */
  readonly secrets: readonly string[];
  readonly developmentKey: string | null;
  readonly clock: Clock;
}

/** Knows the development key, when there is one, and the tokens of the default application's users. */
export function createCredentials({ secrets, developmentKey, clock }: CredentialsInput): Credentials {
  const keys = secrets.map((secret) => new TextEncoder().encode(secret));
  const developmentDigest = developmentKey === null ? null : sha256(developmentKey);
  const remembered = createPrincipalCache(clock);
  return {
    verify: async (credential) => {
      if (credential.length > MAX_CREDENTIAL_CHARACTERS) return null;
      const digest = sha256(credential);
      if (developmentDigest !== null && timingSafeEqual(digest, developmentDigest)) {
        return { kind: 'key', applicationId: DEFAULT_APPLICATION, actAs: true };
      }
      if (credential.startsWith(API_KEY_PREFIX)) return null;
      const name = digest.toString('base64');
      const known = remembered.find(name);
      if (known !== null) return known;
      const token = await verifyToken(credential, keys, clock);
      if (token === null) return null;
      const principal: Principal = { kind: 'user', applicationId: DEFAULT_APPLICATION, ...token };
      remembered.add(name, { principal, until: token.expiresAt });
      return principal;
    },
    hasExpired: (credential) => isExpiredToken(credential, keys, clock),
  };
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

interface Entry {
  readonly principal: Principal;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** Saves the signature check of tokens seen before, oldest forgotten first; holds digests, never tokens. */
function createPrincipalCache(clock: Clock) {
  const entries = new Map<string, Entry>();
  return {
    find: (name: string): Principal | null => {
      const entry = entries.get(name);
      if (entry === undefined) return null;
      if (clock.now() < entry.until) return entry.principal;
      entries.delete(name);
      return null;
    },
    add: (name: string, entry: Entry): void => {
      const oldest = entries.keys().next();
      if (entries.size >= MAX_REMEMBERED && !oldest.done) entries.delete(oldest.value);
      entries.set(name, entry);
    },
  };
}
