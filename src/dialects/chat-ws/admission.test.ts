import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { DEVELOPMENT_KEY, startTestApp } from '../../../test/support/app.ts';
import { atOnce, serveChat, slowly } from '../../../test/support/chat-app.ts';
import { openChatSocket } from '../../../test/support/chat-socket.ts';

const served = serveChat();
const { ask, historyOf, native, script } = served;

test('credentials come in the query or in headers', async () => {
  const token = await served.app.token('headers');
  const open = async (query: string, headers: Record<string, string>) => {
    const chat = await openChatSocket(served.app.url, query, { headers });
    chat.send({ type: 'ping' });
    await chat.next('pong');
    await chat.close();
  };
  await open('', { authorization: `Bearer ${token}` });
  await open('', { authorization: `Bearer ${DEVELOPMENT_KEY}` });
  await open('', { 'x-api-key': DEVELOPMENT_KEY });
  await open(`?key=${DEVELOPMENT_KEY}&user_id=${encodeURIComponent('Zoë & co')}`, {});
});

test('a key acts for the user it names, a token only for its own', async () => {
  script(atOnce());
  const chat = await openChatSocket(served.app.url, `?key=${DEVELOPMENT_KEY}&user_id=named`);
  const thread_id = randomUUID();
  await ask(chat, thread_id, 'Hi');
  await chat.next('message');
  await chat.close();
  expect((await native(`/polylogue/v1/threads/${thread_id}`, 'named')).id).toBe(thread_id);
  const stranger = await openChatSocket(served.app.url, `?token=${await served.app.token('stranger')}&user_id=named`);
  expect((await historyOf(stranger, thread_id))[0]?.id).toBe(thread_id);
  await stranger.close();
});

test.each([
  ['', 'auth_missing'],
  ['?token=', 'auth_missing'],
  ['?key=plg_wrong', 'auth_invalid'],
  ['?token=a.b.c', 'auth_invalid'],
  [`?key=${DEVELOPMENT_KEY}&token=a.b.c`, 'auth_conflict'],
  [`?key=${DEVELOPMENT_KEY}&user_id=`, 'validation_failed'],
  [`?key=${DEVELOPMENT_KEY}&user_id=a&user_id=b`, 'validation_failed'],
])('credentials that do not count (%s) are told so and closed', async (query, code) => {
  const chat = await openChatSocket(served.app.url, query);
  chat.send({ type: 'ping' });
  expect(await chat.closed).toEqual({ code: 1008, reason: code });
  // Who brings nothing is told where browsers can put it.
  const message = code === 'auth_missing' ? expect.stringMatching(/\?token=.*\?key=/) : expect.any(String);
  expect(chat.frames).toEqual([{ type: 'error', message, code }]);
  expect(served.app.log()).not.toContain('plg_wrong');
});

test('credentials that expire close the socket, and what runs goes on', async () => {
  script(slowly(1_500));
  // Clocks may differ by 30 seconds.
  const token = await served.app.token('brief', -28);
  const chat = await openChatSocket(served.app.url, `?token=${token}`);
  const thread_id = randomUUID();
  const { job_id } = await ask(chat, thread_id, 'Hi');
  expect(await chat.closed).toEqual({ code: 1008, reason: 'auth_expired' });
  expect(chat.frames.at(-1)).toEqual({ type: 'error', message: 'Token expired', code: 'auth_expired' });
  await expect.poll(async () => (await native(`/polylogue/v1/runs/${job_id}`, 'brief')).status, { timeout: 5_000 }).toBe('completed');
  const late = await openChatSocket(served.app.url, `?token=${token}`);
  late.send({ type: 'message', thread_id, content: 'Too late' });
  expect(await late.closed).toMatchObject({ code: 1008 });
  expect((await native(`/polylogue/v1/threads/${thread_id}/messages`, 'brief')).data).toHaveLength(2);
});

test('settings turn the greeting off and bound a message', async () => {
  const strict = await startTestApp({ file: { chatWs: { greeting: false, contentBytes: 3 } } });
  const chat = await openChatSocket(strict.url, `?key=${DEVELOPMENT_KEY}`);
  const thread_id = randomUUID();
  expect(await historyOf(chat, thread_id)).toEqual([{ type: 'history_end', thread_id, has_more: false }]);
  chat.send({ type: 'message', thread_id, content: 'éé' });
  expect((await chat.next('error')).message).toBe('Content is too long');
  await Promise.all([strict.close(), expect(chat.closed).resolves.toMatchObject({ code: 1001 })]);
});
