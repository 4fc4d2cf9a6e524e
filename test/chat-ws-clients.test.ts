import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEVELOPMENT_KEY, startTestApp, type TestApp } from './support/app.ts';
import { openChatSocket, type ServerFrame, tokensOf } from './support/chat-socket.ts';
import { canImport, PYTHON } from './support/requirements.ts';
import { runToSuccess } from './support/run-program.ts';
import { answer, type Step, startUpstream, type Upstream } from './support/upstream.ts';

const MIB = 1_048_576;
const steps: Step[] = [];
let upstream: Upstream;
let app: TestApp;

beforeAll(async () => {
  upstream = await startUpstream(steps);
  app = await startTestApp({
    env: { OPENAI_BASE_URL: upstream.baseUrl },
    file: { models: { 'gpt-4': { provider: 'openai' } }, limits: { drainSeconds: 1, answerChars: 60_000_000 } },
  });
});
afterAll(async () => {
  await app.close();
  await upstream.close();
});

const script = (next: readonly Step[]) => void steps.splice(0, steps.length, ...next);

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

function heldBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe('the documented clients', () => {
  test.runIf(canImport('websockets'))('in Python: history, then the question behind the first message, then the answer', async () => {
    script(answer(['Blockchains ', 'are ', 'lists. ', '東京 👩‍👩‍👧']));
    const question = "Hello, I'd like to learn about blockchain technology. 東京";
    const file = fileURLToPath(new URL('clients/chat-ws-client.py', import.meta.url));
    const { stdout } = await runToSuccess([PYTHON, file, app.url, await app.token('python'), question]);
    const frames: ServerFrame[] = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const types = [...new Set(frames.map(({ type }) => type))];
    expect(types).toEqual(['message', 'history_end', 'message_received', 'token']);
    expect(frames[0]).toMatchObject({ role: 'assistant' });
    expect(frames.at(-1)).toMatchObject({ type: 'message', role: 'assistant', content: tokensOf(frames) });
    expect(tokensOf(frames)).toBe('Blockchains are lists. 東京 👩‍👩‍👧');
    expect(upstream.requests.at(-1)?.body).toMatchObject({ messages: [{ role: 'user', content: question }] });
  });

  test('in a browser: history into the page, answers behind it, errors beside it', async () => {
    script(answer(['An ', 'answer']));
    const page: string[] = [];
    const errors: string[] = [];
    const thread_id = randomUUID();
    const socket = new WebSocket(`${app.url.replace('http', 'ws')}/chat/ws?token=${await app.token('browser')}`);
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === 'error') errors.push(message.message);
      if (message.type === 'message') page.push(`${message.role}: ${message.content}`);
    };
    await new Promise((resolve) => {
      socket.onopen = resolve;
    });
    socket.send(JSON.stringify({ type: 'history', thread_id }));
    await expect.poll(() => page).toEqual([expect.stringMatching(/^assistant: ./)]);
    socket.send(JSON.stringify({ type: 'message', thread_id, agent_id: null, content: 'A question' }));
    await expect.poll(() => page.slice(1)).toEqual(['assistant: An answer']);
    socket.send(JSON.stringify({ type: 'message', thread_id: 'none' }));
    await expect.poll(() => errors).toEqual(['Invalid thread ID format']);
    page.length = 0;
    socket.send(JSON.stringify({ type: 'history', thread_id }));
    await expect.poll(() => page).toEqual(['user: A question', 'assistant: An answer']);
    socket.close(1000, 'Bye');
    await expect(new Promise((resolve) => socket.addEventListener('close', resolve))).resolves.toMatchObject({
      wasClean: true,
      code: 1000,
    });
  });
});

describe('a long answer', () => {
  const PIECE = 'word '.repeat(10_000);
  /** Eight million characters: of four, the system takes all for a client that does not read, which then seems to keep up. */
  const PIECES = 160;

  test('costs nothing for clients that stop reading, who get all of it when they read again', async () => {
    script(answer(Array.from({ length: PIECES }, () => PIECE)));
    const thread_id = randomUUID();
    const query = `?token=${await app.token('stopped')}`;
    const asker = await openChatSocket(app.url, query);
    const stopped = await Promise.all(Array.from({ length: 40 }, () => openChatSocket(app.url, query)));
    for (const chat of stopped) {
      chat.send({ type: 'history', thread_id });
      await chat.next('history_end');
      chat.socket.pause();
    }
    const before = heldBytes();
    asker.send({ type: 'message', thread_id, content: 'Tell me everything' });
    const whole = (await asker.next('message')).content ?? '';
    expect(whole.length).toBe(PIECES * PIECE.length);
    // Kept for each of them the answer would be 320 MB.
    const held = heldBytes() - before;
    expect(held).toBeLessThan(40 * MIB + 5 * whole.length);
    const [first, ...others] = stopped;
    for (const { socket } of others) socket.terminate();
    first?.socket.resume();
    await first?.next('message', ({ role }) => role === 'user');
    const late = await first?.next('message');
    expect(late?.content === whole && tokensOf(first?.frames ?? []) === whole).toBe(true);
    await Promise.all([asker.close(), first?.close()]);
  });
});

test('200 clients that connect, ask and vanish leave nothing behind', async () => {
  script(answer(['Hello', ' there']));
  const query = `?key=${DEVELOPMENT_KEY}&user_id=vanishing`;
  const round = async () => {
    const clients = await Promise.all(Array.from({ length: 200 }, () => openChatSocket(app.url, query)));
    for (const [index, chat] of clients.entries()) {
      const thread_id = randomUUID();
      chat.send({ type: 'history', thread_id });
      if (index % 10 === 0) chat.send({ type: 'message', thread_id, content: 'Hi' });
    }
    await clients[199]?.next('history_end');
    const closed = clients.map(({ socket }) => once(socket, 'close'));
    for (const { socket } of clients) socket.terminate();
    await Promise.all(closed);
    await sleep(300);
    return heldBytes();
  };
  await round();
  const before = await round();
  await round();
  expect((await round()) - before).toBeLessThan(5 * MIB);
});
