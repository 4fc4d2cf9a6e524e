import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { atOnce, serveChat, slowly, WHOLE } from '../../../test/support/chat-app.ts';
import { tokensOf } from '../../../test/support/chat-socket.ts';

const served = serveChat();
const { ask, connect, historyOf, native, script } = served;

test('two devices of one user see the same conversation, whoever sends, and the thread may come to be later', async () => {
  script(slowly(50));
  const [phone, laptop] = [await connect('both'), await connect('both')];
  const thread_id = randomUUID();
  await historyOf(phone, thread_id);
  await historyOf(laptop, thread_id);
  const received = await ask(phone, thread_id, 'From the phone');
  const final = await phone.next('message');
  expect(await laptop.next('message')).toMatchObject({ id: received.id, role: 'user', content: 'From the phone' });
  const seen = await laptop.until('message');
  expect([tokensOf(seen), seen.at(-1)]).toEqual([WHOLE, final]);

  await ask(laptop, thread_id, 'From the laptop');
  const other = await laptop.next('message');
  expect(await phone.next('message')).toMatchObject({ role: 'user', content: 'From the laptop' });
  const told = await phone.until('message');
  expect([tokensOf(told), told.at(-1)]).toEqual([WHOLE, other]);
  await sleep(50);
  for (const { frames } of [phone, laptop]) {
    const texts = frames.filter(({ type }) => type === 'message').map(({ content }) => content);
    expect(texts.filter((text) => text === WHOLE)).toHaveLength(2);
  }
  expect(phone.frames.some(({ content }) => content === 'From the phone')).toBe(false);
});

test('two devices of one user see what comes through another door, and what is regenerated there', async () => {
  script(slowly(50));
  const chat = await connect('doors');
  const thread = await native('/polylogue/v1/threads', 'doors', {});
  await historyOf(chat, thread.id);
  const run = await native(`/polylogue/v1/threads/${thread.id}/runs`, 'doors', { text: 'From elsewhere' });
  expect(await chat.next('message')).toMatchObject({ id: run.message_id, role: 'user', content: 'From elsewhere' });
  const seen = await chat.until('message');
  expect([tokensOf(seen), seen.at(-1)?.id]).toEqual([WHOLE, run.answer_id]);
  const again = await native(`/polylogue/v1/threads/${thread.id}/runs`, 'doors', { regenerate: run.answer_id });
  const regenerated = await chat.until('message');
  expect([tokensOf(regenerated), regenerated.at(-1)?.id]).toEqual([WHOLE, again.answer_id]);
});

test('two devices of one user that did not ask for the thread are told nothing of it', async () => {
  script(atOnce());
  const [phone, laptop] = [await connect('apart'), await connect('apart')];
  await historyOf(laptop, randomUUID());
  await ask(phone, randomUUID(), 'Hi');
  await phone.next('message');
  await sleep(50);
  expect(laptop.frames).toHaveLength(2);
});

test('two devices of one user that send the same message see it stored once, and none gets its own back', async () => {
  script(slowly(300));
  const thread_id = randomUUID();
  const devices = [await connect('twins'), await connect('twins'), await connect('twins')];
  for (const device of devices) await historyOf(device, thread_id);
  const frame = { type: 'message', thread_id, content: 'Said twice', client_id: `c-${thread_id}` };
  const [first, second, watching] = devices;
  first?.send(frame);
  second?.send(frame);
  const ids = [await first?.next('message_received'), await second?.next('message_received')].map((received) => received?.id);
  expect(ids[0]).toBe(ids[1]);
  expect(await watching?.next('message')).toMatchObject({ id: ids[0], role: 'user' });
  for (const device of devices) await device.next('message', ({ role, content }) => role === 'assistant' && content === WHOLE);
  for (const device of devices) {
    device.send({ type: 'ping' });
    await device.next('pong');
  }
  const echoes = devices.map(({ frames }) => frames.filter(({ type, role }) => type === 'message' && role === 'user').length);
  expect(echoes).toEqual([0, 0, 1]);
});
