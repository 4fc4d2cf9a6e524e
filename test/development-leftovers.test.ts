import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';

// What somebody makes with the key that everybody knows opens nothing once that key is off.

let dataDir: string;
let app: TestApp;
const left: string[] = [];
let operators: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'polylogue-leftovers-'));
  app = await startTestApp({ dataDir });
});
afterAll(async () => {
  await app.close();
  await rm(dataDir, { recursive: true });
});

const statusOf = async (credential: string) =>
  (await app.send('/polylogue/v1/me', { headers: { authorization: `Bearer ${credential}` } })).status;
const made = async (path: string, body: object, headers = {}) =>
  (await (await app.post(`/polylogue/v1/${path}`, body, headers)).json()) as { key: string; token: string; tier: string };

test('while the development key is on, what it makes counts', async () => {
  expect(app.log()).toMatch(/"level":(40|"warn").*The development key is on, and everybody knows it/);
  const admin = await made('keys', { name: 'a', scopes: ['read', 'write', 'admin', 'act_as'] });
  const bound = await made('keys', { name: 'b', user_id: 'ann' });
  const asAdmin = { authorization: `Bearer ${admin.key}` };
  const second = await made('keys', { name: 'c' }, asAdmin);
  expect([admin, bound, second].map(({ tier }) => tier)).toEqual(['development', 'development', 'development']);
  const tokens = [await made('tokens', { user_id: 'ann' }), await made('tokens', { user_id: 'ann' }, asAdmin)];
  left.push(admin.key, bound.key, second.key, ...tokens.map(({ token }) => token));
  for (const credential of left) expect(await statusOf(credential)).toBe(200);
  expect((await app.post('/polylogue/v1/keys', { name: 'd', tier: null }, asAdmin)).status).toBe(403);
  expect((await app.post('/polylogue/v1/keys', { name: 'd', tier: 'default' })).status).toBe(403);
  operators = await app.key();
});

test('in production it does not, and what the operator made does', async () => {
  await app.close();
  app = await startTestApp({ dataDir, env: { NODE_ENV: 'production' } });
  expect(app.log()).not.toContain('development key is on');
  for (const credential of left) expect(await statusOf(credential)).toBe(401);
  expect(await statusOf(operators)).toBe(200);
});

test.each(['service', 'anonymous'])('no token and no key is made for the user %s, whom a key may name', async (user_id) => {
  await app.close();
  app = await startTestApp({ dataDir });
  for (const [path, body] of [
    ['tokens', { user_id }],
    ['keys', { name: 'k', user_id }],
  ] as const) {
    const response = await app.post(`/polylogue/v1/${path}`, body);
    expect([response.status, await response.text()]).toEqual([
      422,
      expect.stringContaining('the application itself acts under these names'),
    ]);
  }
  expect((await app.send('/polylogue/v1/threads', { headers: { 'x-user-id': user_id } })).status).toBe(200);
});
