import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach } from 'vitest';
import { openSqliteStore } from '../../src/backends/stores/sqlite/index.ts';
import { keyMaker } from '../../src/backends/tokens/api-key.ts';
import { createCredentials } from '../../src/backends/tokens/credentials.ts';
import { createSecretBox } from '../../src/backends/tokens/secret-box.ts';
import { createTokenIssuer } from '../../src/backends/tokens/token-issuer.ts';
import type { ApiKey, TokenRules } from '../../src/core/access.ts';
import { type ApplicationId, DEFAULT_APPLICATION, type KeyId } from '../../src/core/ids.ts';
import type { Credentials } from '../../src/core/ports/credentials.ts';
import type { SecretBox, TokenIssuer } from '../../src/core/ports/secrets.ts';
import type { Store } from '../../src/core/ports/store.ts';
import type { KeyPair } from '../hostile/forge.ts';
import { countCalls } from './count-calls.ts';
import { createFakeClock, type FakeClock } from './fake-clock.ts';

export const SECRET = 'b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c';
export const OTHER_SECRET = '7d865e959b2466918c9863afca942d0fb89d7c9ac0c99bafc3749504ded97730';
/** What the server's own keys are derived from. */
export const ROOTS = { stored: 'f'.repeat(64), set: [SECRET] };
export const DEVELOPMENT_KEY = 'dev-api-key-change-in-production';
export const NOW = 1_700_000_000;

type CredentialsOptions = Parameters<typeof createCredentials>[0];

/** Credentials over a real embedded store, at a time that a test decides. */
export interface KnownCredentials extends Credentials {
  readonly store: Store;
  readonly clock: FakeClock;
  readonly box: SecretBox;
  readonly issuer: TokenIssuer;
  /** What was reported, in words. */
  readonly faults: string[];
  /** How often each operation of the store was called since this was called last. */
  calls(): Record<string, number>;
  /** Stores a key and gives its secret. */
  createKey(changes?: Partial<ApiKey>): Promise<{ key: ApiKey; secret: string }>;
  createApplication(id: string, changes?: { tier?: string; tokens?: Partial<TokenRules> }): Promise<ApplicationId>;
}

interface Options extends Partial<Omit<CredentialsOptions, 'store'>> {
  /** Stands between the credentials and the store. */
  readonly between?: (store: Store) => Store;
}

const opened: Credentials[] = [];
let shared: Promise<{ store: Store; dataDir: string }> | null = null;

/** One store for all tests of a file: they make keys and applications of their own. */
async function openStore() {
  const dataDir = await mkdtemp(join(tmpdir(), 'polylogue-credentials-'));
  return { store: await openSqliteStore({ dataDir }), dataDir };
}

afterEach(async () => {
  for (const credentials of opened.splice(0)) await credentials.close();
});

afterAll(async () => {
  if (shared === null) return;
  const { store, dataDir } = await shared;
  await store.close();
  await rm(dataDir, { recursive: true });
});

/** Closes itself after the test. */
export async function openKnownCredentials({ between = (store) => store, ...options }: Options = {}): Promise<KnownCredentials> {
  shared ??= openStore();
  const { store } = await shared;
  const clock = createFakeClock(NOW * 1000);
  const faults: string[] = [];
  const box = createSecretBox(ROOTS);
  const counted = countCalls(between(store));
  const credentials = createCredentials({
    secrets: [SECRET],
    jwksUrl: null,
    issuer: null,
    audience: null,
    developmentKey: DEVELOPMENT_KEY,
    roots: ROOTS,
    box,
    clock,
    onFault: (what, error) => faults.push(`${what}: ${error instanceof Error ? error.message : String(error)}`),
    ...options,
    store: counted.store,
  });
  opened.push(credentials);
  return {
    ...credentials,
    store,
    clock,
    box,
    faults,
    issuer: createTokenIssuer({ roots: ROOTS, clock }),
    calls: counted.calls,
    async createKey(changes = {}) {
      const { secret, digest, hint } = keyMaker.make();
      const key = { ...plainKey(), hint, ...changes };
      if ((await store.createKey({ key, digest })) !== 'created') throw new Error('There is no such application.');
      return { key, secret };
    },
    async createApplication(id, { tier = null, tokens = {} } = {}) {
      const rules = { jwksUrl: null, sealedSecrets: [], issuer: null, audience: null, ...tokens };
      const created = await store.createApplication({ id: id as ApplicationId, name: id, tier, tokens: rules, createdAt: NOW * 1000 });
      if (!created) throw new Error('There is an application of that id.');
      return id as ApplicationId;
    },
  };
}

function plainKey(): ApiKey {
  return {
    id: crypto.randomUUID() as string as KeyId,
    applicationId: DEFAULT_APPLICATION,
    name: 'A key',
    hint: '',
    scopes: ['read', 'write'],
    dialects: null,
    userId: null,
    tier: null,
    createdAt: NOW * 1000,
    expiresAt: null,
    lastUsedAt: null,
    revokedAt: null,
  };
}

/** A key pair with the JWK that publishes it. */
export function createKeyPair(kid: string, kind: 'rsa' | 'ec' | 'ed' = 'rsa'): KeyPair & { jwk: Record<string, unknown> } {
  const pair = generate(kind);
  return { kid, ...pair, jwk: { ...pair.publicKey.export({ format: 'jwk' }), kid, use: 'sig' } };
}

function generate(kind: 'rsa' | 'ec' | 'ed') {
  if (kind === 'rsa') return generateKeyPairSync('rsa', { modulusLength: 2048 });
  return kind === 'ec' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
}
