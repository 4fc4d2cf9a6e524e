import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { type ChatSocket, openChatSocket } from '../../../test/support/chat-socket.ts';
import { type DialectServer, serveDialect } from '../../../test/support/dialect-server.ts';
import { userToken } from '../../../test/support/principals.ts';
import { type ExpectedCalls, storedMessage, stubEngine, stubThread } from '../../../test/support/stub-engine.ts';
import { AppError } from '../../core/errors.ts';
import type { Owner, Principal } from '../../core/principal.ts';
import type { ThreadRef } from '../../core/thread.ts';
import { chatWs } from './index.ts';

let server: DialectServer;
let chat: ChatSocket;

async function open(calls: ExpectedCalls, more: Readonly<Record<string, Principal>> = {}): Promise<void> {
  server = await serveDialect(chatWs, stubEngine(calls), more);
  chat = await openChatSocket(server.url, '?token=jwt-ann');
}

afterEach(async () => {
  await chat.close();
  await server.close();
});

const message = storedMessage(1, 'user', 'Hi');

test('a message that history has and that is then told as new is sent once', async () => {
  await open({
    threads: {
      lastEvent: async () => 0,
      messages: async () => [message],
      untilCreated: async () => undefined,
      async follow(_owner, _ref, { signal, onEvents }) {
        await onEvents([{ type: 'message.added', message_id: message.id, seq: 1, role: 'user', run_id: null, number: 1 }]);
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
      message: async () => message,
    },
    runs: { liveOf: async () => null },
  });
  chat.send({ type: 'history', thread_id: stubThread.id });
  await chat.next('history_end');
  await sleep(50);
  expect(chat.frames.map(({ type }) => type)).toEqual(['message', 'history_end']);
});

test('what nobody expected is an error frame without its reason, and the socket stays open', async () => {
  await open({ threads: { lastEvent: () => Promise.reject(new Error('the secret reason')) } });
  const { id } = stubThread;
  chat.send({ type: 'history', thread_id: id });
  expect(await chat.next('error')).toEqual({
    type: 'error',
    message: 'Something went wrong on this server.',
    code: 'internal',
    thread_id: id,
  });
  chat.send({ type: 'ping' });
  await chat.next('pong');
});

/** Reads that end when the test says so; histories are made of them. */
function gatedReads() {
  const waiting: (() => void)[] = [];
  let begun = 0;
  return {
    get begun() {
      return begun;
    },
    pass: () => waiting.shift()?.(),
    calls: {
      threads: {
        lastEvent: async () => 0,
        find: () => Promise.reject(new AppError('thread_not_found', 'There is no such thread')),
        async messages() {
          begun += 1;
          await new Promise<void>((resolve) => waiting.push(resolve));
          return [];
        },
        untilCreated: (_owner, _id, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
      },
    } satisfies ExpectedCalls,
  };
}

test('few histories are made at a time, one of a socket, and none for a socket that is gone', async () => {
  const reads = gatedReads();
  await open(reads.calls);
  const askThrice = (one: ChatSocket) => {
    for (let index = 0; index < 3; index += 1) one.send({ type: 'history', thread_id: randomUUID() });
  };
  askThrice(chat);
  await expect.poll(() => reads.begun).toBe(1);
  await sleep(50);
  expect(reads.begun).toBe(1);
  const others = await Promise.all(Array.from({ length: 7 }, () => openChatSocket(server.url, '?token=jwt-ann')));
  others.forEach(askThrice);
  await expect.poll(() => reads.begun).toBe(4);
  await sleep(50);
  expect(reads.begun).toBe(4);
  for (const one of others) one.socket.terminate();
  await Promise.all(others.map(({ closed }) => closed));
  const done = () => chat.frames.filter(({ type }) => type === 'history_end').length;
  while (done() < 3) {
    reads.pass();
    await sleep(5);
  }
  // Three pages and three looks for live answers of the one that stayed, and at most what was under way for the others.
  expect(reads.begun).toBeLessThanOrEqual(3 + 3 + 4);
});

test('what was sent before the client left is done, unless its credential is over', async () => {
  const reads = gatedReads();
  const deleted: string[] = [];
  const threads = { ...reads.calls.threads, delete: async (_owner: Owner, ref: ThreadRef) => void deleted.push(JSON.stringify(ref)) };
  const revoked = new AbortController();
  await open({ threads }, { 'jwt-brief': userToken('brief', { revoked: revoked.signal }) });
  const sockets = [await openChatSocket(server.url, '?token=jwt-brief'), await openChatSocket(server.url, '?token=jwt-bob')] as const;
  const [brief, bob] = sockets;
  const threadIds = [randomUUID(), randomUUID()];
  for (const [index, socket] of sockets.entries()) {
    socket.send({ type: 'history', thread_id: threadIds[index] });
    socket.send({ type: 'delete_thread', thread_id: threadIds[index] });
    await expect.poll(() => reads.begun).toBe(index + 1);
    socket.send({ type: 'ping' });
    await socket.next('pong');
  }
  revoked.abort();
  expect(await brief.closed).toEqual({ code: 1008, reason: 'auth_revoked' });
  await bob.close();
  reads.pass();
  reads.pass();
  await expect.poll(() => deleted).toEqual([JSON.stringify({ id: threadIds[1] })]);
  await sleep(50);
  expect(deleted).toHaveLength(1);
});

test('an expired token is told apart from a wrong one', async () => {
  await open({});
  const late = await openChatSocket(server.url, '?token=jwt-expired');
  expect(await late.closed).toEqual({ code: 1008, reason: 'auth_expired' });
  expect(late.frames).toEqual([{ type: 'error', message: 'Token expired', code: 'auth_expired' }]);
});

test('a plain request is told to connect with a WebSocket', async () => {
  await open({});
  const response = await server.send('/chat/ws');
  expect([response.status, response.headers.get('upgrade')]).toEqual([426, 'websocket']);
  expect(await response.json()).toEqual({ type: 'error', message: 'Connect with a WebSocket', code: 'upgrade_required' });
});
