import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSqliteStore } from '../src/backends/stores/sqlite/index.ts';
import { keyMaker } from '../src/backends/tokens/api-key.ts';
import { ConfigError } from '../src/config/config-error.ts';
import { DEFAULT_APPLICATION, type KeyId } from '../src/core/ids.ts';
import { startTestApp } from './support/app.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'polylogue-production-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

const start = () => startTestApp({ dataDir, env: { NODE_ENV: 'production', JWT_SECRET_KEY: '' } });

/** What the command does while no server runs. */
async function createKey(): Promise<{ id: KeyId; secret: string }> {
  const store = await openSqliteStore({ dataDir });
  const { secret, digest, hint } = keyMaker.make();
  const id = crypto.randomUUID() as string as KeyId;
  const limits = { dialects: null, userId: null, tier: null, expiresAt: null, lastUsedAt: null, revokedAt: null };
  const key = { id, applicationId: DEFAULT_APPLICATION, name: 'first', hint, scopes: ['read', 'write', 'admin'], createdAt: 0 } as const;
  await store.createKey({ key: { ...key, ...limits }, digest });
  await store.close();
  return { id, secret };
}

test('a server in production starts as soon as there is a key, which counts until it is revoked', async () => {
  await expect(start()).rejects.toThrow(ConfigError);
  const { id, secret } = await createKey();
  const app = await start();
  const statusWith = async (key: string) =>
    (await app.send('/polylogue/v1/threads', { headers: { authorization: `Bearer ${key}` } })).status;
  expect(await statusWith(secret)).toBe(200);
  const { token } = await app.access.issueToken({ applicationId: DEFAULT_APPLICATION, userId: 'ann', keyId: id, expiresInSeconds: 60 });
  expect(await statusWith(token)).toBe(200);
  await app.access.revokeKey(null, id);
  expect([await statusWith(secret), await statusWith(token)]).toEqual([401, 401]);
  expect(app.log()).not.toContain(secret);
  await app.close();
  await expect(start()).rejects.toThrow('polylogue keys create');
});
