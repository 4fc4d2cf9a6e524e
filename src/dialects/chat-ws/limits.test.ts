import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { BEGINNING, hanging, serveChat, slowly, WHOLE } from '../../../test/support/chat-app.ts';
import { tokensOf } from '../../../test/support/chat-socket.ts';
import { DEFAULT_APPLICATION } from '../../core/ids.ts';

const unbounded = { requestsPerMinute: null, messagesPerMinute: null, messagesPerHour: null, concurrentRuns: null, connections: null };
const tierOf = (bounds: Partial<Record<keyof typeof unbounded, number>>) => ({ user: { ...unbounded, ...bounds }, application: unbounded });
const tiers = {
  default: { user: unbounded, application: unbounded },
  requests: tierOf({ requestsPerMinute: 4 }),
  messages: tierOf({ messagesPerMinute: 1 }),
  runs: tierOf({ concurrentRuns: 1 }),
  connections: tierOf({ connections: 1 }),
};
const served = serveChat({ file: { tiers } });
const { ask, historyOf, native, open, script } = served;

/** The query of a socket for a user whose application's key has this tier. */
async function queryOf(tier: keyof typeof tiers, user: string): Promise<string> {
  return `?key=${await served.app.key({ tier })}&user_id=${user}`;
}

test('every frame but a ping is charged, also one that nobody understands', async () => {
  // The upgrade was the first of four.
  const chat = await open(await queryOf('requests', 'busy'));
  const thread_id = randomUUID();
  for (let count = 0; count < 20; count += 1) chat.send({ type: 'ping' });
  await historyOf(chat, thread_id);
  chat.socket.send('no JSON');
  chat.socket.send(Buffer.from('binary'));
  expect((await chat.next('error')).message).toBe('Invalid JSON');
  expect((await chat.next('error')).message).toBe('Binary frames are not supported');
  const job_id = randomUUID();
  for (const frame of [
    { type: 'history', thread_id },
    { type: 'message', thread_id, content: 'Hi' },
    { type: 'dance', thread_id },
  ]) {
    chat.send(frame);
    expect(await chat.next('error')).toEqual({
      type: 'error',
      message: expect.any(String),
      code: 'rate_limited',
      thread_id,
      retry_after: expect.any(Number),
    });
  }
  chat.send({ type: 'cancel', job_id });
  expect(await chat.next('error')).toMatchObject({ code: 'rate_limited', job_id });
  chat.send({ type: 'ping' });
  expect(await chat.next('pong')).toEqual({ type: 'pong' });
  expect(chat.frames.filter(({ type }) => type === 'pong')).toHaveLength(21);
});

test('a message beyond the limit says when to come back and stores nothing', async () => {
  script(slowly(0));
  const chat = await open(await queryOf('messages', 'talker'));
  const thread_id = randomUUID();
  await ask(chat, thread_id, 'First');
  await chat.next('message');
  chat.send({ type: 'message', thread_id, content: 'Second' });
  const refused = await chat.next('error');
  expect(refused).toMatchObject({ code: 'rate_limited', thread_id });
  expect(refused.retry_after).toBeGreaterThan(0);
  expect(refused.retry_after).toBeLessThanOrEqual(60);
  expect((await historyOf(chat, thread_id)).map(({ content }) => content)).toEqual(['First', WHOLE, undefined]);
});

test('a run beyond those that may be under way at once is refused, and the socket stays open', async () => {
  script(hanging());
  const chat = await open(await queryOf('runs', 'runner'));
  const thread_id = randomUUID();
  const { job_id } = await ask(chat, thread_id, 'First');
  const elsewhere = randomUUID();
  chat.send({ type: 'message', thread_id: elsewhere, content: 'Second' });
  expect(await chat.next('error')).toMatchObject({ code: 'run_limit', thread_id: elsewhere, retry_after: expect.any(Number) });
  await expect.poll(() => tokensOf(chat.frames)).toBe(BEGINNING);
  chat.send({ type: 'cancel', job_id });
  expect(await chat.next('message')).toMatchObject({ status: 'cancelled' });
});

test('a client that goes on over its limit without waiting is closed', async () => {
  const chat = await open(await queryOf('messages', 'flooder'));
  for (let count = 0; count < 30; count += 1) chat.send({ type: 'message', thread_id: randomUUID(), content: 'Hi' });
  expect(await chat.closed).toEqual({ code: 1008, reason: 'rate_limited' });
  expect(chat.frames.filter(({ code }) => code === 'rate_limited').length).toBeGreaterThanOrEqual(21);
});

test('a socket counts as a connection until it closes; the next one may try again later', async () => {
  const query = await queryOf('connections', 'twice');
  const first = await open(query);
  first.send({ type: 'ping' });
  await first.next('pong');
  const second = await open(query);
  expect(await second.closed).toEqual({ code: 1013, reason: 'too_many_connections' });
  expect(second.frames).toEqual([
    { type: 'error', message: expect.any(String), code: 'too_many_connections', retry_after: expect.any(Number) },
  ]);
  await first.close();
  const third = await open(query);
  third.send({ type: 'ping' });
  await third.next('pong');
});

test('whoever has no requests left is told so at the door', async () => {
  const query = await queryOf('requests', 'knocker');
  for (let count = 0; count < 4; count += 1) await (await open(query)).close();
  const chat = await open(query);
  expect(await chat.closed).toEqual({ code: 1013, reason: 'rate_limited' });
  expect(chat.frames).toEqual([{ type: 'error', message: expect.any(String), code: 'rate_limited', retry_after: expect.any(Number) }]);
});

test('a key may do what its scopes say, frame by frame', async () => {
  script(slowly(0));
  const thread_id = randomUUID();
  const all = await open(`?key=${await served.app.key()}&user_id=scoped`);
  const { job_id } = await ask(all, thread_id, 'Hi');
  await all.next('message');

  const reader = await open(`?key=${await served.app.key({ scopes: ['read', 'act_as'] })}&user_id=scoped`);
  expect((await historyOf(reader, thread_id)).map(({ role }) => role)).toEqual(['user', 'assistant', undefined]);
  for (const frame of [
    { type: 'message', thread_id, content: 'Hi' },
    { type: 'delete_thread', thread_id },
    { type: 'cancel', job_id },
    { type: 'approve', job_id, call_id: 'c', decision: 'deny' },
  ]) {
    reader.send(frame);
    expect(await reader.next('error'), frame.type).toMatchObject({ code: 'scope_denied' });
  }
  const writer = await open(`?key=${await served.app.key({ scopes: ['write', 'act_as'] })}&user_id=scoped`);
  writer.send({ type: 'history', thread_id });
  expect(await writer.next('error')).toEqual({ type: 'error', message: expect.any(String), code: 'scope_denied', thread_id });
  await ask(writer, thread_id, 'Again');
  expect(await reader.next('message')).toMatchObject({ role: 'user', content: 'Again' });
  expect(await writer.next('message')).toMatchObject({ content: WHOLE });
});

test.each([
  ['without act_as', { scopes: ['read', 'write'] }],
  ['of other dialects', { dialects: ['native', 'levia'] }],
] as const)('a key %s does not come in for a named user', async (_name, but) => {
  const chat = await open(`?key=${await served.app.key(but)}&user_id=ann`);
  expect(await chat.closed).toEqual({ code: 1008, reason: 'scope_denied' });
});

test('a key that is revoked closes its sockets, and what runs goes on', async () => {
  script(slowly(3_000));
  const { key, secret } = await served.app.access.createKey({
    applicationId: DEFAULT_APPLICATION,
    name: 'to be revoked',
    scopes: ['read', 'write', 'act_as'],
  });
  const chat = await open(`?key=${secret}&user_id=revoked`);
  const thread_id = randomUUID();
  const { job_id } = await ask(chat, thread_id, 'Hi');
  await chat.next('token');
  await served.app.access.revokeKey(DEFAULT_APPLICATION, key.id);
  expect(await chat.closed).toEqual({ code: 1008, reason: 'auth_revoked' });
  expect(chat.frames.at(-1)).toEqual({ type: 'error', message: 'Key revoked', code: 'auth_revoked' });
  const late = await open(`?key=${secret}&user_id=revoked`);
  expect(await late.closed).toEqual({ code: 1008, reason: 'auth_invalid' });
  await expect.poll(async () => (await native(`/polylogue/v1/runs/${job_id}`, 'revoked')).status, { timeout: 8_000 }).toBe('completed');
});

test('a key whose time is over closes its sockets', async () => {
  const secret = await served.app.key({ expiresAt: Date.now() + 1_500 });
  const chat = await open(`?key=${secret}`);
  expect(await chat.closed).toEqual({ code: 1008, reason: 'auth_expired' });
  expect(chat.frames).toEqual([{ type: 'error', message: 'Key expired', code: 'auth_expired' }]);
});
