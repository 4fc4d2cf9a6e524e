import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSqliteStore } from '../src/backends/stores/sqlite/index.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import { openChatSocket } from './support/chat-socket.ts';
import { countCalls } from './support/count-calls.ts';

/** What a server does by the clock, whoever asks for something. */
const UPKEEP = ['renewLeases', 'forgetOldKeys', 'touchKeys', 'fillSearch'];
const TIMES = 20;
/** What is answered without anything that is stored but who asks. */
const PATHS = ['/polylogue/v1/me', '/polylogue/v1/models'];

let dataDir: string;
let app: TestApp;
let calls: () => Record<string, number>;
let key: string;
let token: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'polylogue-remembered-'));
  const counted = countCalls(await openSqliteStore({ dataDir }));
  calls = counted.calls;
  app = await startTestApp({ dataDir, store: counted.store });
  key = await app.key();
  const minted = await app.post('/polylogue/v1/tokens', { user_id: 'ann' }, { authorization: `Bearer ${key}` });
  token = ((await minted.json()) as { token: string }).token;
});

afterAll(async () => {
  await app.close();
  await rm(dataDir, { recursive: true, force: true });
});

/** What the store was asked meanwhile, but for upkeep. */
async function asked(work: () => Promise<unknown>): Promise<Record<string, number>> {
  calls();
  await work();
  return Object.fromEntries(Object.entries(calls()).filter(([name]) => !UPKEEP.includes(name)));
}

describe.each([
  ['a key', () => key, (name: string) => `?key=${name}`],
  ['a token that it minted', () => token, (name: string) => `?token=${name}`],
])('with %s that was seen lately', (_name, credential, query) => {
  test.each(PATHS)('GET %s asks the store for nothing', async (path) => {
    const get = async () => {
      const response = await app.send(path, { headers: { authorization: `Bearer ${credential()}` } });
      await response.text();
      expect(response.status).toBe(200);
    };
    await get();
    expect(await asked(() => Promise.all(Array.from({ length: TIMES }, get)))).toEqual({});
    expect(await asked(get)).toEqual({});
  });

  test('a chat socket is opened and answers a ping, and asks the store for nothing', async () => {
    const ping = async () => {
      const chat = await openChatSocket(app.url, query(credential()));
      chat.send({ type: 'ping' });
      await chat.next('pong');
      await chat.close();
    };
    await ping();
    expect(await asked(() => Promise.all(Array.from({ length: TIMES }, ping)))).toEqual({});
  });

  test('a question costs the store what its own work needs', async () => {
    const headers = { authorization: `Bearer ${credential()}` };
    const begin = async () => (await app.post('/polylogue/v1/threads', {}, headers)).json();
    await begin();
    expect(await asked(begin)).toEqual({ createThread: 1 });
  });
});

test('a key that was never seen costs one look-up, and what cannot be one costs none', async () => {
  const fresh = await app.key();
  const me = (credential: string) => app.send('/polylogue/v1/me', { headers: { authorization: `Bearer ${credential}` } });
  expect(await asked(() => me(fresh))).toEqual({ findKeyByDigest: 1 });
  expect(await asked(() => me('plg_wrong'))).toEqual({});
  expect(await asked(() => me(`${token}x`))).toEqual({});
});
