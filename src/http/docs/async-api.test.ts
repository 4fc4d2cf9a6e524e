import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { forecaster } from '../../../test/support/agent-gifts.ts';
import { startTestApp, type TestApp } from '../../../test/support/app.ts';
import { type ChatSocket, openChatSocket } from '../../../test/support/chat-socket.ts';
import { at, dereference, type Json, misfits } from '../../../test/support/json-schema.ts';

/** What the documented frames do not bring about: nothing in them calls a tool. */
const OF_TOOLS = ['tool', 'approval'];

const require = createRequire(import.meta.url);
let app: TestApp;
let document: Json;

beforeAll(async () => {
  app = await startTestApp({ file: { agents: { definitions: { forecaster } } } });
  document = JSON.parse(await (await fetch(`${app.url}/asyncapi.json`)).text());
});
afterAll(() => app.close());

/** The messages that a side sends, by type. */
function messagesOf(side: 'receive' | 'send'): Readonly<Record<string, { payload: Json; examples: readonly { payload: unknown }[] }>> {
  const messages = dereference(at(document, `#/operations/chat-ws-${side}/messages`), document) as readonly Json[];
  return Object.fromEntries(messages.map((message) => [message.name, message])) as ReturnType<typeof messagesOf>;
}

test('it is valid by the specification', () => {
  const specification: object = require('@asyncapi/specs/schemas/3.0.0-without-$id.json');
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  const validate = ajv.compile(specification);
  expect({ valid: validate(document), errors: validate.errors ?? [] }).toEqual({ valid: true, errors: [] });
  expect(validate({ ...document, channels: [] })).toBe(false);
});

test('it names this server, and the path at which the socket really is', async () => {
  const { host } = at(document, '#/servers/this') as { host: string };
  const address = String(at(document, '#/channels/chat-ws/address'));
  expect(host).toBe(`localhost:${new URL(app.url).port}`);
  expect(address).toBe('/chat/ws');
});

test('every example fits its schema', () => {
  for (const side of ['receive', 'send'] as const)
    for (const [type, { payload, examples }] of Object.entries(messagesOf(side)))
      for (const example of examples) expect({ type, misfits: misfits(payload, example.payload) }).toEqual({ type, misfits: [] });
});

type Frames = ReturnType<typeof messagesOf>;

function exampleOf(frames: Frames, type: string): Json {
  return frames[type]?.examples[0]?.payload as Json;
}

/** What another answer has other values for: its ids, time and words. */
function withoutOwn(frame: object): object {
  const own = ['id', 'job_id', 'created_at', 'content'];
  return Object.fromEntries(Object.entries(frame).map(([name, value]) => [name, own.includes(name) ? typeof value : value]));
}

/** The documented frames of a client, in an order in which each means something, and the frame that answers each. */
const ORDER = [
  ['ping', 'pong'],
  ['history', 'history_end'],
  ['message', 'message_received'],
  ['cancel', 'error'],
  ['approve', 'error'],
  ['delete_thread', 'thread_deleted'],
] as const;

test('the documented frames of a client are sent as they stand, and answered by the documented frames of the server', async () => {
  const client = messagesOf('receive');
  const server = messagesOf('send');
  expect(ORDER.map(([type]) => type).toSorted()).toEqual(Object.keys(client).toSorted());
  const socket = await openChatSocket(app.url, '?key=dev-api-key-change-in-production&user_id=user123');
  for (const [type, answer] of ORDER) {
    socket.send(exampleOf(client, type));
    await socket.next(answer);
    if (type === 'message') await socket.next('message', ({ role }) => role === 'assistant');
  }
  socket.send({ type: 'history' });
  await socket.next('error');
  await socket.close();

  const got = socket.frames.map(withoutOwn);
  for (const type of Object.keys(server).filter((name) => !OF_TOOLS.includes(name))) {
    expect(got, type).toContainEqual(withoutOwn(exampleOf(server, type)));
  }
});

test('every frame on a real socket is one that is described, and every described one that can be had was there', async () => {
  const thread = crypto.randomUUID();
  const sent: Json[] = [];
  const open = (query: string) => openChatSocket(app.url, query);
  const socket = await open('?key=dev-api-key-change-in-production&user_id=ann');
  const send = (frame: Json, through: ChatSocket = socket) => {
    sent.push(frame);
    through.send(frame);
  };
  send({ type: 'ping' });
  await socket.next('pong');
  send({ type: 'history', thread_id: thread, limit: 10 });
  await socket.next('history_end');
  send({ type: 'message', thread_id: thread, content: 'Hello', agent_id: 'assistant-graph', client_id: 'one' });
  const { job_id } = await socket.next('message_received');
  const answer = await socket.next('message', ({ role }) => role === 'assistant');
  send({ type: 'cancel', job_id });
  send({ type: 'approve', job_id, call_id: 'call_1', decision: 'deny', arguments: { q: 'moss' } });
  await socket.next('error');
  send({ type: 'message', thread_id: thread, content: 'What is the weather like in Berlin?', agent_id: 'forecaster' });
  const asked = await socket.next('approval');
  send({ type: 'approve', job_id: asked.job_id, call_id: asked.call_id, decision: 'approve' });
  await socket.next('tool', ({ status }) => status === 'completed');
  await socket.next('message', ({ role }) => role === 'assistant');
  send({ type: 'history', thread_id: thread, before: answer.id });
  await socket.next('history_end');
  send({ type: 'message', thread_id: thread, content: '/long 20000' });
  const second = await socket.next('message_received');
  await socket.next('token');
  send({ type: 'cancel', job_id: second.job_id });
  await socket.next('message', ({ status }) => status === 'cancelled');
  send({ type: 'delete_thread', thread_id: thread });
  await socket.next('thread_deleted');
  socket.send({ type: 'dance', thread_id: thread, job_id: 'mine' });
  await socket.next('error');
  const stranger = await open('?key=plg_unknown');
  await stranger.closed;
  await socket.close();

  const clientFrames = messagesOf('receive');
  for (const frame of sent) {
    const schema = clientFrames[String(frame.type)]?.payload;
    expect({ frame, misfits: misfits(schema, JSON.parse(JSON.stringify(frame))) }).toEqual({ frame, misfits: [] });
  }
  expect(Object.keys(clientFrames).filter((type) => !sent.some((frame) => frame.type === type))).toEqual([]);

  const serverFrames = messagesOf('send');
  const got = [...socket.frames, ...stranger.frames];
  for (const frame of got) {
    const schema = serverFrames[frame.type]?.payload;
    expect({ frame, misfits: misfits(schema, frame) }).toEqual({ frame, misfits: [] });
  }
  const unseen = Object.keys(serverFrames).filter((type) => !got.some((frame) => frame.type === type));
  expect(unseen).toEqual([]);
});
