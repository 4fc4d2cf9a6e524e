import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFakeClock } from '../../../test/support/fake-clock.ts';
import { type ApplicationId, DEFAULT_APPLICATION, type KeyId } from '../../core/ids.ts';
import type { Store } from '../../core/ports/store.ts';
import { openSqliteStore } from '../stores/sqlite/index.ts';
import { signInProblem } from './sign-in.ts';

const clock = createFakeClock();
const now = clock.now();
const bare = { production: true, signingSecrets: [], jwksUrl: null };

let dataDir: string;
let store: Store;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'polylogue-sign-in-'));
  store = await openSqliteStore({ dataDir });
});
afterEach(async () => {
  await store.close();
  await rm(dataDir, { recursive: true });
});

async function createKey(changes: { expiresAt?: number; revokedAt?: number; tier?: string }): Promise<void> {
  const id = crypto.randomUUID() as string as KeyId;
  const rest = { scopes: ['read'], dialects: null, userId: null, tier: null, lastUsedAt: null, expiresAt: null, revokedAt: null } as const;
  const key = { id, applicationId: DEFAULT_APPLICATION, name: 'k', hint: 'abcd', createdAt: now, ...rest, ...changes };
  await store.createKey({ key, digest: id });
}

const problem = (changes: object = {}) => signInProblem({ config: { ...bare, ...changes }, store, clock });

test('a server in production that nobody could sign in to says what to do', async () => {
  await createKey({ revokedAt: now - 1 });
  await createKey({ expiresAt: now });
  await createKey({ tier: 'development' });
  expect(await problem()).toMatch(
    /^With NODE_ENV=production nobody could sign in: .*"polylogue keys create".*JWT_SECRET_KEY.*JWKS_URL.*\.$/,
  );
});

test('each way to sign in is enough', async () => {
  expect(await problem({ production: false })).toBeNull();
  expect(await problem({ signingSecrets: ['x'] })).toBeNull();
  expect(await problem({ jwksUrl: 'https://login.example/jwks.json' })).toBeNull();
  await createKey({ expiresAt: now + 1 });
  expect(await problem()).toBeNull();
});

test('an application whose users bring tokens of its own is enough', async () => {
  const tokens = { jwksUrl: 'https://login.example/jwks.json', sealedSecrets: [], issuer: null, audience: null };
  await store.createApplication({ id: 'bakery' as ApplicationId, name: 'b', tier: null, tokens, createdAt: now });
  expect(await problem()).toBeNull();
});
