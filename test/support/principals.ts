import { type ApplicationId, DEFAULT_APPLICATION } from '../../src/core/ids.ts';
import { DEFAULT_TIER } from '../../src/core/limits.ts';
import type { Credentials } from '../../src/core/ports/credentials.ts';
import { type Principal, SCOPES } from '../../src/core/principal.ts';

const proof = {
  applicationId: DEFAULT_APPLICATION as ApplicationId,
  keyId: null,
  scopes: new Set(SCOPES),
  dialects: null,
  tier: DEFAULT_TIER,
  expiresAt: null,
  revoked: null,
} as const;

/** A server's key of the default application with every scope, but for what the test says. */
export function serverKey(but: Partial<Omit<Principal, 'kind'>> = {}): Principal {
  return { ...proof, kind: 'key', by: 'key', ...but };
}

/** A token of one user of the default application that may read and write, but for what the test says. */
export function userToken(userId: string, but: Partial<Omit<Principal, 'kind'>> = {}): Principal {
  return { ...proof, scopes: new Set(['read', 'write']), kind: 'user', by: 'token', userId, ...but };
}

/** Knows these credentials by what they are sent as, and `jwt-expired` as one whose time is over. */
export function credentialsOf(principals: Readonly<Record<string, Principal>>): Credentials {
  return {
    verify: async (credential) => principals[credential] ?? null,
    hasExpired: async (credential) => credential === 'jwt-expired',
    refresh: async () => undefined,
    close: async () => undefined,
  };
}
