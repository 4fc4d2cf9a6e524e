import { afterEach, expect, test } from 'vitest';
import { type ApplicationId, DEFAULT_APPLICATION } from '../src/core/ids.ts';
import { startTestApp, type TestApp } from './support/app.ts';

const KEYS = '/polylogue/v1/keys';
let app: TestApp | null = null;

afterEach(async () => {
  await app?.close();
  app = null;
});

/** What was logged about keys and applications, without what every line has. */
function changesIn({ log }: TestApp): readonly object[] {
  const lines = log().split('\n').filter(Boolean);
  return lines.flatMap((line) => {
    const { msg, application, key_id, by } = JSON.parse(line) as Readonly<Record<string, unknown>>;
    return /^(API key|application) /.test(String(msg)) ? [{ msg, application, key_id, by }] : [];
  });
}

test('who makes or revokes a key over HTTP stands in the log, and no secret does', async () => {
  app = await startTestApp();
  const { key, secret } = await app.access.createKey({
    applicationId: DEFAULT_APPLICATION,
    name: 'admin',
    scopes: ['read', 'write', 'admin'],
  });
  const authorization = `Bearer ${secret}`;
  const made = (await (await app.post(KEYS, { name: 'cAnArY', scopes: ['read'] }, { authorization })).json()) as {
    id: string;
    key: string;
  };
  expect((await app.send(`${KEYS}/${made.id}`, { method: 'DELETE', headers: { authorization } })).status).toBe(200);
  expect((await app.send(`${KEYS}/${key.id}`, { method: 'DELETE' })).status).toBe(200);
  expect((await app.post(KEYS, { name: 'late' }, { authorization })).status).toBe(401);
  const by = { application: 'default', key_id: key.id };
  expect(changesIn(app)).toEqual([
    { msg: 'API key created', application: 'default', key_id: key.id, by: 'command' },
    { msg: 'API key created', application: 'default', key_id: made.id, by },
    { msg: 'API key revoked', application: 'default', key_id: made.id, by },
    { msg: 'API key revoked', application: 'default', key_id: key.id, by: { application: 'default', key_id: null } },
  ]);
  for (const hidden of [secret, made.key, 'cAnArY']) expect(app.log()).not.toContain(hidden);
});

test('what the operator does stands in the log as well', async () => {
  app = await startTestApp();
  const acme = 'acme' as ApplicationId;
  await app.access.createApplication(acme, { name: 'Acme' });
  await app.access.changeApplication(acme, { name: 'Acme Inc.' });
  const { key } = await app.access.createKey({ applicationId: acme, name: 'backend' });
  await app.access.revokeKey(acme, key.id);
  expect(changesIn(app)).toEqual([
    { msg: 'application created', application: 'acme', key_id: undefined, by: 'command' },
    { msg: 'application changed', application: 'acme', key_id: undefined, by: 'command' },
    { msg: 'API key created', application: 'acme', key_id: key.id, by: 'command' },
    { msg: 'API key revoked', application: 'acme', key_id: key.id, by: 'command' },
  ]);
});
