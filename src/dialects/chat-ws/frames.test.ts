import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { atOnce, hanging, serveChat } from '../../../test/support/chat-app.ts';
import { tokensOf } from '../../../test/support/chat-socket.ts';

const served = serveChat();
const { ask, connect, historyOf, script } = served;

test('ping', async () => {
  const chat = await connect('ping');
  chat.send({ type: 'ping' });
  expect(await chat.next('pong')).toEqual({ type: 'pong' });
});

test('cancel keeps the text so far', async () => {
  script(hanging());
  const chat = await connect('canceller');
  const thread_id = randomUUID();
  const { job_id } = await ask(chat, thread_id, 'Hi');
  const waiting = await ask(chat, thread_id, 'And this');
  await expect.poll(() => tokensOf(chat.frames)).toBe('Hello there,');
  chat.send({ type: 'cancel', job_id: waiting.job_id });
  chat.send({ type: 'cancel', job_id });
  expect(await chat.next('message')).toMatchObject({ role: 'assistant', content: 'Hello there,', status: 'cancelled' });
  expect(await chat.next('message')).toMatchObject({ role: 'assistant', content: '', status: 'cancelled' });
  chat.send({ type: 'cancel', job_id });
  expect(await chat.next('message')).toMatchObject({ content: 'Hello there,', status: 'cancelled' });
});

test('delete_thread removes it, also under a running answer, and tells the other devices', async () => {
  script(hanging());
  const [chat, other] = [await connect('deleter'), await connect('deleter')];
  const thread_id = randomUUID();
  await historyOf(other, thread_id);
  await historyOf(chat, thread_id);
  await ask(chat, thread_id, 'Hi');
  await chat.next('token');
  chat.send({ type: 'delete_thread', thread_id });
  expect(await chat.next('thread_deleted')).toEqual({ type: 'thread_deleted', thread_id });
  expect(await other.next('thread_deleted')).toEqual({ type: 'thread_deleted', thread_id });
  expect((await historyOf(chat, thread_id)).map(({ id }) => id)).toEqual([thread_id, undefined]);
  expect(chat.frames.filter(({ type }) => type === 'thread_deleted')).toHaveLength(1);
  chat.send({ type: 'delete_thread', thread_id });
  expect(await chat.next('error')).toMatchObject({ code: 'thread_not_found', thread_id });
  script(atOnce());
  await ask(chat, thread_id, 'Again');
  expect(await other.next('message')).toMatchObject({ content: 'Again' });
});

test('what nobody was asked about cannot be approved', async () => {
  script(atOnce());
  const chat = await connect('approver');
  const unknown = randomUUID();
  const { job_id } = await ask(chat, randomUUID(), 'Hi');
  for (const more of [{ decision: 'approve' }, { decision: 'deny', arguments: null }, { decision: 'approve', arguments: { a: [1] } }]) {
    chat.send({ type: 'approve', job_id: unknown, call_id: 'c', ...more });
    expect(await chat.next('error')).toEqual({ type: 'error', message: 'Unknown job', code: 'run_not_found', job_id: unknown });
    chat.send({ type: 'approve', job_id, call_id: 'c', ...more });
    expect(await chat.next('error')).toMatchObject({ code: 'approval_not_found', job_id });
  }
});

const thread_id = '123e4567-e89b-12d3-a456-426614174000';
const cases: readonly (readonly [string | Buffer, string])[] = [
  ['{"type":"history"}', 'Thread ID is required'],
  ['{"type":"message","thread_id":"","content":"x"}', 'Thread ID is required'],
  ['{"type":"history","thread_id":"x"}', 'Invalid thread ID format'],
  ['{"type":"history","thread_id":7}', 'Invalid thread ID format'],
  [`{"type":"message","thread_id":"${thread_id}"}`, 'Content is required'],
  [`{"type":"message","thread_id":"${thread_id}","content":"  "}`, 'Content is required'],
  [`{"type":"message","thread_id":"${thread_id}","content":["x"]}`, 'Content must be a string'],
  [`{"type":"message","thread_id":"${thread_id}","content":"${'é'.repeat(16_385)}"}`, 'Content is too long'],
  [`{"type":"message","thread_id":"${thread_id}","content":"x","client_id":"a b"}`, 'Client ID must be 1 to 255 visible ASCII characters'],
  ['{"type":"cancel"}', 'Job ID is required'],
  ['{"type":"cancel","job_id":"x"}', 'Unknown job'],
  ...(
    [
      [{}, 'Call ID is required'],
      [{ call_id: 7 }, 'Call ID must be a string of at most 255 characters'],
      [{ call_id: 'c'.repeat(256) }, 'Call ID must be a string of at most 255 characters'],
      [{ call_id: 'c' }, 'Decision is required'],
      [{ call_id: 'c', decision: 'maybe' }, 'Decision must be approve or deny'],
      [{ call_id: 'c', decision: ['deny'] }, 'Decision must be approve or deny'],
      [{ call_id: 'c', decision: 'deny', arguments: 7 }, 'Arguments must be an object or a string'],
      [{ call_id: 'c', decision: 'deny', arguments: [] }, 'Arguments must be an object or a string'],
    ] as const
  ).map(([fields, message]) => [JSON.stringify({ type: 'approve', job_id: thread_id, ...fields }), message] as const),
  ['{"type":"dance"}', 'Unknown message type: dance'],
  ['{"type":"__proto__"}', 'Unknown message type: __proto__'],
  ['{"type":"constructor"}', 'Unknown message type: constructor'],
  ['{"type":["history"]}', 'Unknown message type: ["history"]'],
  ['{}', 'Message type is required'],
  ['{"type":null}', 'Message type is required'],
  ['{"type":', 'Invalid JSON'],
  ['', 'Invalid JSON'],
  ['[]', 'Invalid JSON'],
  ['null', 'Invalid JSON'],
  ['5', 'Invalid JSON'],
  [`${'['.repeat(100_000)}`, 'Invalid JSON'],
  ['{"type":"ping","__proto__":{"x":1}}', 'Invalid JSON'],
  ['{"type":"ping","x":"\\u0000"}', 'The frame contains a NUL character or half of a surrogate pair'],
  ['{"type":"ping","x":"\\ud800"}', 'The frame contains a NUL character or half of a surrogate pair'],
  [Buffer.from('{"type":"ping"}'), 'Binary frames are not supported'],
];

test('what is wrong with a frame is said in words, and the socket stays open', async () => {
  const chat = await connect('bad');
  const before = served.upstream.requests.length;
  for (const [frame, message] of cases) {
    chat.socket.send(frame);
    expect(await chat.next('error')).toMatchObject({ message, code: expect.any(String) });
  }
  chat.send({ type: 'history', thread_id });
  expect((await chat.next('history_end')).thread_id).toBe(thread_id);
  expect(served.upstream.requests.length).toBe(before);
});

test('an error names the thread and the job that its frame named', async () => {
  const chat = await connect('named');
  const job_id = randomUUID();
  const long = 'x'.repeat(101);
  const frames: readonly (readonly [object, object])[] = [
    [
      { type: 'message', thread_id, job_id, content: '\0' },
      { code: 'unicode_invalid', thread_id, job_id },
    ],
    [
      { type: 'cancel', job_id, thread_id, content: '\ud800' },
      { code: 'unicode_invalid', thread_id, job_id },
    ],
    [{ type: 'cancel', job_id: 'job\0' }, { code: 'unicode_invalid' }],
    [
      { type: 'cancel', job_id: 'job-1' },
      { code: 'run_not_found', job_id: 'job-1' },
    ],
    [{ type: 'cancel', job_id: long }, { code: 'run_not_found' }],
    [
      { type: 'cancel', job_id, thread_id },
      { code: 'run_not_found', job_id, thread_id },
    ],
    [
      { type: 'cancel', job_id: job_id.toUpperCase() },
      { code: 'run_not_found', job_id },
    ],
    [{ type: 'approve', job_id: { a: 1 } }, { code: 'run_not_found' }],
    [
      { type: 'dance', thread_id, job_id },
      { code: 'validation_failed', thread_id, job_id },
    ],
    [{ thread_id }, { code: 'validation_failed', thread_id }],
  ];
  for (const [frame, expected] of frames) {
    chat.send(frame);
    expect(await chat.next('error')).toEqual({ type: 'error', message: expect.any(String), ...expected });
  }
});
