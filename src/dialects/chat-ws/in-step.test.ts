import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../../test/support/app.ts';
import { type ChatSocket, openChatSocket } from '../../../test/support/chat-socket.ts';

let app: TestApp;
let open: ChatSocket[] = [];

beforeAll(async () => {
  app = await startTestApp({ file: { demo: { tokenDelayMs: 10 } } });
});
afterEach(async () => {
  await Promise.all(open.map((chat) => chat.close()));
  open = [];
});
afterAll(() => app.close());

async function connect(user: string): Promise<ChatSocket> {
  const chat = await openChatSocket(app.url, `?token=${await app.token(user)}`);
  open.push(chat);
  return chat;
}

async function ask(chat: ChatSocket, thread_id: string, content: string): Promise<string> {
  chat.send({ type: 'message', thread_id, content });
  return (await chat.next('message_received')).job_id ?? '';
}

test('the live answer is shown whichever page of history was asked for', async () => {
  const thread_id = randomUUID();
  const first = await connect('ann');
  const running = await ask(first, thread_id, '/long 60');
  await ask(first, thread_id, 'And then?');
  const second = await connect('ann');
  second.send({ type: 'history', thread_id, limit: 1 });
  await second.next('history_end');
  expect(await second.next('token')).toMatchObject({ job_id: running, at: 0 });
});

test('devices that send at the same time see the answers in the order of the thread', async () => {
  const thread_id = randomUUID();
  const devices = [await connect('bob'), await connect('bob')] as const;
  for (const device of devices) {
    device.send({ type: 'history', thread_id });
    await device.next('history_end');
  }
  const jobs = await Promise.all(devices.map((device, index) => ask(device, thread_id, `/long ${20 + index}`)));
  for (const device of devices) {
    const answers: string[] = [];
    while (answers.length < 2) answers.push((await device.next('message', ({ role }) => role === 'assistant')).content ?? '');
    const told = device.frames.filter(({ type }) => type === 'token').map(({ job_id = '' }) => job_id);
    expect([...new Set(told)].sort()).toEqual([...jobs].sort());
    // Each answer's tokens stand together, and both devices have the answers in the same order.
    expect(told).toEqual([...told].sort((a, b) => told.indexOf(a) - told.indexOf(b)));
  }
  const [order, other] = devices.map(({ frames }) => frames.filter(({ type }) => type === 'token').map(({ job_id }) => job_id)[0]);
  expect(order).toBe(other);
});

test('a socket that deleted a thread it did not watch is told when it is deleted again', async () => {
  const thread_id = randomUUID();
  const [mine, other] = [await connect('eve'), await connect('eve')];
  await ask(mine, thread_id, '/long 5');
  await mine.next('message', ({ role }) => role === 'assistant');
  mine.send({ type: 'delete_thread', thread_id });
  await mine.next('thread_deleted');
  mine.send({ type: 'history', thread_id });
  await mine.next('history_end');
  await ask(mine, thread_id, '/long 5');
  await mine.next('message', ({ role }) => role === 'assistant');
  other.send({ type: 'delete_thread', thread_id });
  expect(await mine.next('thread_deleted')).toMatchObject({ thread_id });
});

test('a queued answer that another device cancels ends in one message', async () => {
  const thread_id = randomUUID();
  const [asking, cancelling] = [await connect('joe'), await connect('joe')];
  cancelling.send({ type: 'history', thread_id });
  await cancelling.next('history_end');
  const running = await ask(asking, thread_id, '/long 40');
  const queued = await ask(asking, thread_id, 'never mind');
  cancelling.send({ type: 'cancel', job_id: queued });
  cancelling.send({ type: 'cancel', job_id: running });
  await cancelling.next('message', ({ status }) => status === 'cancelled');
  await cancelling.next('message', ({ status }) => status === 'cancelled');
  cancelling.send({ type: 'ping' });
  await cancelling.next('pong');
  const ended = cancelling.frames.filter(({ status }) => status === 'cancelled').map(({ id }) => id);
  expect(new Set(ended).size).toBe(ended.length);
});
