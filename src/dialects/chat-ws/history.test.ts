import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { atOnce, serveChat, slowly, WHOLE } from '../../../test/support/chat-app.ts';
import { tokensOf } from '../../../test/support/chat-socket.ts';

const served = serveChat();
const { ask, connect, historyOf, script } = served;

test('history of a thread without messages is one greeting that is stored nowhere', async () => {
  const chat = await connect('newcomer');
  const thread_id = randomUUID();
  const [greeting, end] = await historyOf(chat, thread_id);
  expect(greeting).toMatchObject({ type: 'message', role: 'assistant', thread_id, content: expect.stringMatching(/\S/) });
  expect(end).toEqual({ type: 'history_end', thread_id, has_more: false });
  expect((await historyOf(chat, thread_id))[0]?.id).toBe(greeting?.id);
  expect((await served.app.send(`/polylogue/v1/threads/${thread_id}`, { headers: { 'x-user-id': 'newcomer' } })).status).toBe(404);
});

test('history comes in pages, newest last', async () => {
  script(atOnce());
  const chat = await connect('pages');
  const thread_id = randomUUID();
  for (const content of ['1', '2', '3']) {
    await ask(chat, thread_id, content);
    await chat.next('message');
  }
  const page = await historyOf(chat, thread_id, { limit: 4 });
  expect(page.map(({ content }) => content)).toEqual(['2', WHOLE, '3', WHOLE, undefined]);
  expect(page.at(-1)?.has_more).toBe(true);
  const rest = await historyOf(chat, thread_id, { limit: 4, before: page[0]?.id });
  expect(rest.map(({ content }) => content)).toEqual(['1', WHOLE, undefined]);
  expect(rest.at(-1)?.has_more).toBe(false);
  expect(await historyOf(chat, thread_id, { before: rest[0]?.id })).toHaveLength(1);
  for (const [field, message] of [
    [{ limit: 0 }, /Limit/],
    [{ limit: 501 }, /Limit/],
    [{ limit: '5' }, /Limit/],
    [{ before: randomUUID() }, /message/],
    [{ before: 'x' }, /message/],
  ] as const) {
    chat.send({ type: 'history', thread_id, ...field });
    expect(await chat.next('error')).toMatchObject({ message: expect.stringMatching(message), thread_id });
  }
});

test("history never shows another user's thread", async () => {
  script(atOnce());
  const [ann, bob] = [await connect('ann'), await connect('bob')];
  const thread_id = randomUUID();
  const { job_id } = await ask(ann, thread_id, 'Secret');
  await ann.next('message');
  expect((await historyOf(bob, thread_id)).map(({ role }) => role)).toEqual(['assistant', undefined]);
  for (const job of [job_id, randomUUID()]) {
    bob.send({ type: 'cancel', job_id: job });
    expect(await bob.next('error')).toEqual({ type: 'error', message: 'Unknown job', code: 'run_not_found', job_id: job });
  }
  await ask(bob, thread_id, 'My own');
  await bob.next('message');
  expect((await historyOf(ann, thread_id)).map(({ content }) => content)).toEqual(['Secret', WHOLE, undefined]);
  expect(bob.frames.some(({ content }) => content === 'Secret')).toBe(false);
});

test('history after a lost connection gives what is finished, then the live answer from its start', async () => {
  script(atOnce());
  const thread_id = randomUUID();
  const before = await connect('traveller');
  await ask(before, thread_id, 'First');
  await before.next('message');
  script(slowly(500));
  const { id, job_id } = await ask(before, thread_id, 'Second');
  await before.next('token');
  before.socket.terminate();

  const after = await connect('traveller');
  const history = await historyOf(after, thread_id);
  expect(history.map(({ content }) => content)).toEqual(['First', WHOLE, 'Second', undefined]);
  expect(history[2]?.id).toBe(id);
  const live = await after.until('message');
  expect(live[0]).toMatchObject({ type: 'token', at: 0, job_id });
  expect(tokensOf(live)).toBe(WHOLE);
  expect(live.at(-1)?.content).toBe(WHOLE);
});

test('history asked for again during an answer begins that answer again', async () => {
  script(slowly(500));
  const chat = await connect('impatient');
  const thread_id = randomUUID();
  await ask(chat, thread_id, 'Hi');
  await chat.next('token');
  await historyOf(chat, thread_id);
  const live = await chat.until('message');
  expect([live[0]?.at, tokensOf(live), live.at(-1)?.content]).toEqual([0, WHOLE, WHOLE]);
  await sleep(50);
  expect(chat.frames.filter(({ content, type }) => type === 'message' && content === WHOLE)).toHaveLength(1);
});
