import { describe, expect, it } from 'vitest';
import { serveInTests } from '../../../test/support/dialect-server.ts';
import {
  annCalling,
  completedFact,
  type ExpectedCalls,
  followOf,
  messagesOf,
  storedId,
  storedMessage,
  stubRun,
  stubThread,
  textFact,
} from '../../../test/support/stub-engine.ts';
import { AppError } from '../../core/errors.ts';
import type { MessageId } from '../../core/ids.ts';
import type { Message } from '../../core/message.ts';
import type { Run } from '../../core/run.ts';
import type { StartRun } from '../../engine/index.ts';
import { chatSessions } from './index.ts';

const serve = serveInTests(chatSessions);

const hi = { role: 'user', content: 'Hi' };
const body = { model: 'gpt-4', messages: [hi] };
const follow = followOf([textFact('Hello'), textFact(' world'), completedFact]);
const hello = 'data: Hell\n\ndata: o worl\n\ndata: d\n\ndata: [DONE]\n\n';
const unknownThread = () => Promise.reject(new AppError('thread_not_found', 'There is no such thread'));

interface Failure {
  readonly detail: string;
  readonly code: string;
  readonly errors: readonly { readonly loc: unknown }[];
}

async function failureOf(response: Response): Promise<Failure> {
  return (await response.json()) as Failure;
}

function recordStarts(outcomes: readonly ('started' | 'replayed' | 'moved')[] = ['started']) {
  const starts: StartRun[] = [];
  const start = async (input: StartRun) => {
    const outcome = outcomes[Math.min(starts.length, outcomes.length - 1)];
    starts.push(input);
    if (outcome === 'moved') throw new AppError('state_conflict', 'The thread has changed');
    return { run: stubRun, thread: stubThread, replayed: outcome === 'replayed', rate: null };
  };
  return { starts, start };
}

/** A session with these messages, newest first as the engine gives them. */
function session(messages: readonly Message[]): ExpectedCalls['threads'] {
  return {
    find: async () => ({ ...stubThread, headId: messages.at(-1)?.id ?? null }),
    messages: messagesOf(messages.toReversed()),
  };
}

describe('POST /stream without a session', () => {
  it.each(['/v1/chat', '/api/chat'])('streams raw text under %s', async (prefix) => {
    const { starts, start } = recordStarts();
    const { post } = await serve({ runs: { start, follow } });
    const messages = [{ role: 'system', content: 'Be kind' }, { role: 'assistant', content: 'Yes?' }, hi];
    const response = await post(`${prefix}/stream`, { ...body, messages, tags: ['x'] }, { 'x-user-id': 'ann' });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const names = ['x-session-id', 'x-thread-id', 'x-run-id', 'x-model'];
    expect(names.map((name) => response.headers.get(name))).toEqual(['4711', stubThread.id, stubRun.id, 'gpt-4']);
    expect(await response.text()).toBe(hello);
    expect(starts).toEqual([
      {
        owner: annCalling,
        thread: { create: { model: 'gpt-4', tags: ['x'], carryTurns: 0 } },
        ask: {
          kind: 'append',
          messages: [
            { role: 'assistant', parts: [{ type: 'text', text: 'Yes?' }] },
            { role: 'user', parts: [{ type: 'text', text: 'Hi' }] },
          ],
        },
        temperature: 0.7,
        maxTokens: null,
        instructions: ['Be kind'],
        repeat: null,
      },
    ]);
  });

  it('refuses an unknown model before it stores anything', async () => {
    const { post } = await serve();
    const response = await post('/v1/chat/stream', { ...body, model: 'gpt-99' });
    expect([response.status, (await failureOf(response)).code]).toEqual([400, 'model_unknown']);
  });

  it('marks a repeat', async () => {
    const { start } = recordStarts(['replayed']);
    const { post } = await serve({ runs: { start, follow } });
    const response = await post('/v1/chat/stream', body, { 'idempotency-key': 'k' });
    expect(response.headers.get('idempotent-replayed')).toBe('true');
    expect(await response.text()).toBe(hello);
  });

  it('asks for credentials', async () => {
    const { post } = await serve();
    for (const [authorization, detail] of [
      ['', 'Not authenticated'],
      ['Bearer wrong', 'Could not validate credentials'],
    ]) {
      const response = await post('/v1/chat/stream', [], { authorization: authorization ?? '' });
      expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
      expect((await failureOf(response)).detail).toBe(detail);
    }
  });

  it.each([
    ['no messages', { messages: [] }, ['body', 'messages']],
    ['no model', { model: undefined }, ['body', 'model']],
    ['content that is no text', { messages: [{ role: 'user', content: null }] }, ['body', 'messages', 0, 'content']],
    ['an unknown role', { messages: [{ role: 'robot', content: 'x' }] }, ['body', 'messages', 0, 'role']],
    ['a last message that is not the user’s', { messages: [hi, { role: 'assistant', content: 'x' }] }, ['body', 'messages']],
    ['too hot', { temperature: 2.1 }, ['body', 'temperature']],
    ['a session id that is none', { session_id: 0 }, ['body', 'session_id']],
    ['a session id as text', { session_id: '1' }, ['body', 'session_id']],
    ['a fraction of tokens', { max_tokens: 1.5 }, ['body', 'max_tokens']],
  ])('refuses %s', async (_name, change, loc) => {
    const { post } = await serve();
    const response = await post('/v1/chat/stream', { ...body, ...change });
    const { code, errors } = await failureOf(response);
    expect([response.status, code, errors[0]?.loc]).toEqual([422, 'validation_failed', loc]);
    expect(errors[0]).toEqual({ loc, msg: expect.any(String), type: expect.any(String) });
  });

  it('wants a JSON object', async () => {
    const { post, send } = await serve();
    expect((await post('/v1/chat/stream', [])).status).toBe(422);
    expect((await send('/v1/chat/stream', { method: 'POST' })).status).toBe(422);
    const broken = { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } };
    expect((await send('/v1/chat/stream', broken)).status).toBe(422);
  });
});

describe('POST /stream with a session', () => {
  const inSession = { ...body, model: 'not looked at', session_id: 4711 };
  const question = storedMessage(1, 'user', 'Hi');
  const answer = storedMessage(2, 'assistant', 'Hello world');

  it('appends only what is new', async () => {
    const { starts, start } = recordStarts();
    const { post } = await serve({ threads: session([question, answer]), runs: { start, follow } });
    const messages = [hi, { role: 'assistant', content: 'Hello world' }, { role: 'user', content: 'More' }];
    expect(await (await post('/v1/chat/stream', { ...inSession, messages })).text()).toBe(hello);
    expect(starts).toHaveLength(1);
    expect(starts[0]).toMatchObject({
      thread: { number: 4711 },
      ask: { kind: 'append', messages: [{ role: 'user', parts: [{ type: 'text', text: 'More' }] }] },
      expectedHead: storedId(2),
    });
    expect(starts[0]?.model).toBeUndefined();
  });

  it('reads long sessions to their start, and no further than it must', async () => {
    const { starts, start } = recordStarts();
    const long = Array.from({ length: 450 }, (_, index) => storedMessage(index + 1, index % 2 === 0 ? 'user' : 'assistant', `m${index}`));
    const { post } = await serve({ threads: session(long), runs: { start, follow } });
    const messages = long.map(({ role }, index) => ({ role, content: `m${index}` }));
    await (await post('/v1/chat/stream', { ...inSession, messages: [...messages, { role: 'assistant', content: 'a' }, hi] })).text();
    expect(starts[0]?.ask).toMatchObject({ messages: [{ role: 'assistant' }, { role: 'user' }] });
    await (await post('/v1/chat/stream', inSession)).text();
    expect(starts[1]?.ask).toMatchObject({ messages: [{ role: 'user' }] });
  });

  it('joins the run that works on the last question', async () => {
    const { starts, start } = recordStarts(['moved']);
    const liveOf = async (_owner: unknown, id: MessageId): Promise<Run | null> => (id === question.id ? stubRun : null);
    const { post } = await serve({ threads: session([question]), runs: { start, follow, liveOf } });
    const response = await post('/v1/chat/stream', inSession);
    expect([response.headers.get('x-run-id'), await response.text()]).toEqual([stubRun.id, hello]);
    expect(starts).toHaveLength(0);
    const keyed = await post('/v1/chat/stream', inSession, { 'idempotency-key': 'k' });
    expect([keyed.headers.get('idempotent-replayed'), await keyed.text()]).toEqual([null, hello]);
    expect(starts.map(({ expectedHead }) => expectedHead)).toEqual([null]);
  });

  it('marks a repeat also while its run is under way', async () => {
    const { start } = recordStarts(['replayed']);
    const { post } = await serve({ threads: session([question]), runs: { start, follow, liveOf: async () => stubRun } });
    const response = await post('/v1/chat/stream', inSession, { 'idempotency-key': 'k' });
    expect([response.headers.get('idempotent-replayed'), await response.text()]).toEqual(['true', hello]);
  });

  it('answers again after a failure', async () => {
    const { starts, start } = recordStarts();
    const failed = { ...answer, status: 'failed' } as const;
    const { post } = await serve({ threads: session([question, failed]), runs: { start, follow, liveOf: async () => null } });
    expect(await (await post('/v1/chat/stream', inSession)).text()).toBe(hello);
    expect(starts[0]).toMatchObject({ ask: { kind: 'again', message: question.id }, expectedHead: storedId(2) });
  });

  it('reads again when the session moved, but not for ever', async () => {
    const moved = recordStarts(['moved', 'moved', 'started']);
    const { post } = await serve({ threads: session([]), runs: { start: moved.start, follow } });
    expect(await (await post('/v1/chat/stream', inSession)).text()).toBe(hello);
    expect(moved.starts).toHaveLength(3);
    const always = recordStarts(['moved']);
    const other = await serve({ threads: session([]), runs: { start: always.start } });
    expect((await other.post('/v1/chat/stream', inSession)).status).toBe(409);
    expect(always.starts).toHaveLength(100);
  });

  it('does not know other sessions', async () => {
    const { post } = await serve({ threads: { find: unknownThread } });
    const response = await post('/v1/chat/stream', inSession);
    expect([response.status, await response.json()]).toEqual([404, { detail: 'Chat session not found', code: 'thread_not_found' }]);
  });
});

describe('POST /stream with "stream": false', () => {
  const ended = (change: Partial<Run>) => async () => ({ run: { ...stubRun, ...change }, message: storedMessage(2, 'assistant', 'Hello') });

  it('waits for the whole answer', async () => {
    const usage = { input_tokens: 3, output_tokens: 2 };
    const { post } = await serve({
      runs: { start: recordStarts().start, await: ended({ status: 'completed', usage, finishReason: 'length' }) },
    });
    const response = await post('/v1/chat/stream', { ...body, stream: false });
    expect(response.headers.get('x-session-id')).toBe('4711');
    expect(await response.json()).toEqual({
      id: stubRun.id,
      object: 'chat.completion',
      created: 1_700_000_000,
      model: 'gpt-4',
      choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'length' }],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
      session_id: 4711,
    });
  });

  it.each([
    ['failed', 502, ended({ status: 'failed', failure: { code: 'x', detail: 'The model is away', retryable: true } })],
    ['cancelled', 409, ended({ status: 'cancelled' })],
    ['late', 504, () => Promise.reject(new AppError('run_timeout', 'late'))],
  ])('says when the answer is %s', async (name, status, wait) => {
    const { post } = await serve({ runs: { start: recordStarts().start, await: wait } });
    const response = await post('/v1/chat/stream', { ...body, stream: false });
    expect([response.status, response.headers.get('x-run-id')]).toEqual([status, stubRun.id]);
    const { detail } = await failureOf(response);
    if (name === 'failed') expect(detail).toBe('The model is away');
    if (name === 'late') expect(detail).toContain(stubRun.id);
  });
});

describe('sessions', () => {
  it('are made for a known model', async () => {
    const { post } = await serve({ threads: { create: async () => ({ thread: stubThread, replayed: false }) } });
    const response = await post('/v1/chat/sessions', { model: 'gpt-4' });
    expect([response.status, response.headers.get('x-session-id')]).toEqual([200, '4711']);
    expect(await response.json()).toMatchObject({ id: 4711, thread_id: stubThread.id, model: 'gpt-4', title: 'New Chat', messages: [] });
    expect((await post('/v1/chat/sessions', { model: 'gpt-99' })).status).toBe(400);
    expect((await post('/v1/chat/sessions', {})).status).toBe(422);
  });

  it('are deleted or hidden', async () => {
    const done: string[] = [];
    const { send } = await serve({
      threads: {
        find: async () => stubThread,
        delete: async () => void done.push('deleted'),
        change: async (_owner, _ref, changes) => {
          done.push(JSON.stringify(changes));
          return stubThread;
        },
      },
    });
    const remove = async (path: string) => (await send(`/v1/chat/sessions/${path}`, { method: 'DELETE' })).json();
    expect(await remove('4711')).toEqual({ message: 'Session deleted successfully' });
    expect(await remove('4711?archive=true')).toEqual({ message: 'Session archived successfully' });
    expect(done).toEqual(['deleted', '{"archived":true}']);
  });

  it.each(['0', '-1', '+1', '01', '1.0', '1e3', '9007199254740992', 'x', '%201', '99999999999999999999'])('have no id %s', async (id) => {
    const { send } = await serve();
    const response = await send(`/v1/chat/sessions/${id}`, { method: 'DELETE' });
    const { errors } = await failureOf(response);
    expect([response.status, errors[0]?.loc]).toEqual([422, ['path', 'session_id']]);
  });

  it('of others are unknown', async () => {
    const { send } = await serve({ threads: { find: unknownThread, change: unknownThread } });
    for (const query of ['', '?archive=true']) {
      const response = await send(`/v1/chat/sessions/9007199254740991${query}`, { method: 'DELETE' });
      expect([response.status, await response.json()]).toEqual([404, { detail: 'Chat session not found', code: 'thread_not_found' }]);
    }
    expect((await send('/v1/chat/sessions/1?archive=maybe', { method: 'DELETE' })).status).toBe(422);
  });
});
