import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ApplicationId } from '../src/core/ids.ts';
import { forgeHmac } from './hostile/forge.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import { OTHER_SECRET } from './support/known-credentials.ts';

let app: TestApp;

beforeAll(async () => {
  // So slow that an answer lasts until the credential that waits for it is gone.
  app = await startTestApp({ file: { demo: { tokenDelayMs: 100 } } });
});

afterAll(() => app.close());

const QUESTION = 'Tell me everything that you know about the sea';
const bearer = (credential: string, more: Readonly<Record<string, string>> = {}) => ({ authorization: `Bearer ${credential}`, ...more });

/** A server's key, as an administrator makes it over HTTP, and how it is revoked there. */
async function makeKey(): Promise<{ secret: string; revoke: () => Promise<Response> }> {
  const made = await app.post('/polylogue/v1/keys', { name: 'K', scopes: ['read', 'write', 'act_as'] });
  const { id, key } = (await made.json()) as { id: string; key: string };
  return { secret: key, revoke: () => app.send(`/polylogue/v1/keys/${id}`, { method: 'DELETE' }) };
}

/** Reads a stream to its end, or to where it breaks off. */
async function readAll(response: Response): Promise<{ text: string; broken: boolean }> {
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const chunk of response.body ?? expect.fail('no body')) text += decoder.decode(chunk, { stream: true });
    return { text, broken: false };
  } catch (error) {
    if (error instanceof TypeError) return { text, broken: true };
    throw error;
  }
}

/** Starts a run of user ann with this credential; gives its id. */
async function startRun(credential: string): Promise<string> {
  const headers = bearer(credential, { 'x-user-id': 'ann' });
  const made = (await (await app.post('/polylogue/v1/threads', {}, headers)).json()) as { id: string };
  const run = await app.post(`/polylogue/v1/threads/${made.id}/runs`, { text: QUESTION }, headers);
  return ((await run.json()) as { id: string }).id;
}

const streams: readonly (readonly [string, (credential: string) => Promise<Response>])[] = [
  [
    'native run',
    async (key) => app.send(`/polylogue/v1/runs/${await startRun(key)}/events`, { headers: bearer(key, { 'x-user-id': 'ann' }) }),
  ],
  [
    'native thread',
    async (key) => {
      const headers = bearer(key, { 'x-user-id': 'ann' });
      const { id } = (await (await app.post('/polylogue/v1/threads', {}, headers)).json()) as { id: string };
      return app.send(`/polylogue/v1/threads/${id}/events`, { headers });
    },
  ],
  ['levia', async (key) => app.send(`/levia/chat/stream/${await startRun(key)}`, { headers: bearer(key) })],
  ['chat-sessions', (key) => app.post('/v1/chat/stream', { model: 'gpt-4', messages: [{ role: 'user', content: QUESTION }] }, bearer(key))],
  ['graph', (key) => app.post('/api/v1/graph/stream', { message: QUESTION }, bearer(key))],
];

describe('when a key is revoked', () => {
  test.each(streams)('the %s stream breaks off within a second', async (_name, open) => {
    const { secret, revoke } = await makeKey();
    const response = await open(secret);
    expect(response.status).toBe(200);
    const reading = readAll(response);
    expect((await revoke()).status).toBe(200);
    const { text, broken } = await reading;
    expect(broken).toBe(true);
    expect(text).not.toMatch(/\[DONE\]|complete|event: done|run\.completed/);
  });

  test.each([
    [
      'native',
      async (key: string) => {
        const headers = bearer(key);
        const { id } = (await (await app.post('/polylogue/v1/threads', {}, headers)).json()) as { id: string };
        return app.post(`/polylogue/v1/threads/${id}/runs`, { text: QUESTION }, { ...headers, prefer: 'respond-sync' });
      },
      [401, 'auth_revoked'],
    ],
    ['graph', (key: string) => app.post('/api/v1/graph/invoke', { message: QUESTION }, bearer(key)), [403, 'Invalid API Key']],
    ['user-chat', (key: string) => app.post('/api/ann/chat', { message: { content: QUESTION } }, bearer(key)), [401, 'AUTH_007']],
    [
      'chat-sessions',
      (key: string) =>
        app.post('/v1/chat/stream', { model: 'gpt-4', messages: [{ role: 'user', content: QUESTION }], stream: false }, bearer(key)),
      [401, 'auth_revoked'],
    ],
  ] as const)('who waits for an answer of %s hears that instead', async (_name, ask, [status, words]) => {
    const { secret, revoke } = await makeKey();
    const asking = ask(secret);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await revoke();
    const response = await asking;
    expect([response.status, await response.text()]).toEqual([status, expect.stringContaining(words)]);
  });

  test('what runs goes on, and another key sees all of it', async () => {
    const { secret, revoke } = await makeKey();
    const run = await startRun(secret);
    const path = `/polylogue/v1/runs/${run}/events`;
    const reading = readAll(await app.send(path, { headers: bearer(secret, { 'x-user-id': 'ann' }) }));
    await revoke();
    const { text: before } = await reading;
    const last = [...before.matchAll(/^id: (\d+)$/gm)].at(-1)?.[1] ?? '0';
    const headers = bearer((await makeKey()).secret, { 'x-user-id': 'ann' });
    const { text: after } = await readAll(await app.send(path, { headers: { ...headers, 'last-event-id': last } }));
    const { text: whole } = await readAll(await app.send(path, { headers }));
    expect(after).toContain('event: run.completed');
    // A frame that was cut in the middle comes again.
    expect(before.slice(0, before.lastIndexOf('\n\n') + 2).replace(/^: ping\n\n/gm, '') + after).toBe(whole);
  });
});

test('a stream breaks off when its token is over, and resumes with a new one', async () => {
  const { token } = (await (await app.post('/polylogue/v1/tokens', { user_id: 'ann', expires_in: 60 })).json()) as { token: string };
  expect((await app.send('/polylogue/v1/me', { headers: bearer(token) })).status).toBe(200);
  const run = await startRun(await app.token('ann'));
  const brief = await app.key({ userId: 'ann', scopes: ['read'], expiresAt: Date.now() + 1_500 });
  const path = `/levia/chat/stream/${run}`;
  const { text: before, broken } = await readAll(await app.send(path, { headers: bearer(brief) }));
  expect([broken, before.includes('"complete"')]).toEqual([true, false]);
  const last = [...before.matchAll(/^id: ([\d.]+)$/gm)].at(-1)?.[1] ?? '0';
  const { text: after } = await readAll(await app.send(path, { headers: bearer(token, { 'last-event-id': last }) }));
  expect(after).toContain('"type":"complete"');
});

test('streams of tokens break off when their application loses the secret, and not when it changes its name', async () => {
  const id = 'florist' as ApplicationId;
  await app.access.createApplication(id, { name: 'F', secrets: [OTHER_SECRET] });
  const exp = Math.floor(Date.now() / 1000) + 600;
  const token = forgeHmac({ claims: { sub: 'ann', application: id, exp }, secret: OTHER_SECRET });
  const response = await app.send(`/levia/chat/stream/${await startRun(token)}`, { headers: bearer(token) });
  let over = false;
  const reading = readAll(response).finally(() => {
    over = true;
  });
  await app.access.changeApplication(id, { name: 'Florist' });
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(over).toBe(false);
  await app.access.changeApplication(id, { secrets: [] });
  const { text, broken } = await reading;
  expect([broken, text.includes('"complete"')]).toEqual([true, false]);
  expect((await app.send('/polylogue/v1/me', { headers: bearer(token) })).status).toBe(401);
});
