import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { type ChatSocket, openChatSocket } from '../../../test/support/chat-socket.ts';
import { type DialectServer, serveDialect } from '../../../test/support/dialect-server.ts';
import { type ExpectedCalls, storedMessage, stubEngine, stubThread } from '../../../test/support/stub-engine.ts';
import { chatWs } from './index.ts';

let server: DialectServer;
let chat: ChatSocket;

async function open(calls: ExpectedCalls): Promise<void> {
  server = await serveDialect(chatWs, stubEngine(calls));
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
  expect(await response.json()).toEqual({ type: 'error', message: 'Connect with a WebSocket' });
});
