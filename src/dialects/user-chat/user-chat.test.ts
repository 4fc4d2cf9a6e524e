import { describe, expect, it } from 'vitest';
import { serveInTests } from '../../../test/support/dialect-server.ts';
import { annCalling, type ExpectedCalls, storedId, storedMessage, stubRun, stubThread } from '../../../test/support/stub-engine.ts';
import { AppError } from '../../core/errors.ts';
import type { ThreadQuery } from '../../core/ports/thread-query.ts';
import type { Run } from '../../core/run.ts';
import type { CreateThread, StartRun } from '../../engine/index.ts';
import { userChat } from './index.ts';
import { toToolCalls } from './translate.ts';

const serve = serveInTests(userChat);

const asAnn = { authorization: 'Bearer jwt-ann' };
const hello = { message: { content: 'Hello, how can you help me?' } };
const completed: Run = { ...stubRun, status: 'completed' };
const threadNotFound = () => Promise.reject(new AppError('thread_not_found', 'There is no such thread'));

function answering(ended: Run = completed, starts: StartRun[] = []): ExpectedCalls {
  return {
    runs: {
      start: async (input) => {
        starts.push(input);
        return { run: stubRun, thread: stubThread, replayed: false, rate: null };
      },
      await: async () => ({ run: ended, message: { ...storedMessage(2, 'assistant', 'Well.'), createdAt: 1_700_000_000_000 } }),
    },
  };
}

/** An error body with the words in every place where clients look for them. */
const refusal = (words: string, code: string) => ({ success: false, detail: words, error: words, code });

describe.each(['/api/ann', '/chat/ann', '/api/v1/chat/ann'])('POST %s/chat', (base) => {
  it('answers in a new conversation', async () => {
    const starts: StartRun[] = [];
    const { post } = await serve(answering(completed, starts));
    const response = await post(`${base}/chat`, hello, asAnn);
    expect([response.status, response.headers.get('x-thread-id'), response.headers.get('x-run-id')]).toEqual([
      200,
      stubThread.id,
      stubRun.id,
    ]);
    expect(await response.json()).toEqual({
      success: true,
      message: { id: storedId(2), content: 'Well.', role: 'assistant', timestamp: '2023-11-14T22:13:20.000Z', type: 'text' },
      conversation_id: stubThread.id,
      tool_calls: [],
    });
    const ask = { kind: 'append', messages: [{ role: 'user', parts: [{ type: 'text', text: hello.message.content }] }] };
    expect(starts).toEqual([{ owner: annCalling, thread: { create: {} }, ask, repeat: null }]);
  });
});

describe('the credential', () => {
  const ask = async (user: string, credential: string) => {
    const { post, close } = await serve(answering());
    const response = await post(`/api/${user}/chat`, hello, { authorization: credential });
    const body = await response.json();
    await close();
    return [response.status, body];
  };

  it('must be of the user in the path', async () => {
    expect(await ask('bob', 'Bearer jwt-ann')).toEqual([401, refusal('Unauthorized', 'AUTH_001')]);
    expect(await ask('ann', 'Bearer jwt-expired')).toEqual([401, refusal('Token expired', 'AUTH_002')]);
    expect(await ask('ann', 'Bearer x.y.z')).toEqual([401, refusal('Invalid token', 'AUTH_003')]);
    expect(await ask('ann', 'Basic x')).toEqual([401, refusal('Invalid token', 'AUTH_003')]);
    expect(await ask('ann', '')).toEqual([401, refusal('Not authenticated', 'AUTH_004')]);
  });

  it('may be a key that acts for its users, and no other', async () => {
    expect((await ask('anybody', 'Bearer plg_server'))[0]).toBe(200);
    expect(await ask('anybody', 'Bearer plg_browser')).toMatchObject([403, { code: 'AUTH_006' }]);
    expect(await ask('x'.repeat(256), 'Bearer plg_server')).toMatchObject([422, { code: 'INPUT_001' }]);
  });

  it('is asked for before the body is looked at', async () => {
    const { post } = await serve();
    expect((await post('/api/ann/chat', [], { authorization: '' })).status).toBe(401);
  });
});

it.each(['v1', 'chat', 'graph', 'levia', 'auth', 'console', 'polylogue', 'ws', 'mcp', '%76%31'])('%s is no user', async (word) => {
  const { post, send } = await serve();
  for (const path of [`/api/${word}/chat`, `/chat/${word}/conversations`]) {
    const response = await post(path, hello, { authorization: '' });
    expect([response.status, await response.json()]).toMatchObject([404, { code: 'route_not_found', type: 'about:blank' }]);
  }
  for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
    for (const path of [`/api/${word}/conversations`, `/api/${word}/chat`]) {
      const response = await send(path, { method });
      expect([response.status, response.headers.get('allow'), await response.json()]).toMatchObject([404, null, { type: 'about:blank' }]);
    }
  }
});

it('answers a method that it does not know in its own words', async () => {
  const { send } = await serve();
  const response = await send('/api/ann/chat', { method: 'DELETE', headers: { authorization: '' } });
  expect([response.status, response.headers.get('allow'), await response.json()]).toMatchObject([
    405,
    'POST',
    { success: false, code: 'NOT_FOUND_006' },
  ]);
});

describe('conversation_id', () => {
  const other = '01890000-0000-7000-8000-00000000000b';
  const ask = async (query: string, conversation_id?: unknown) => {
    const starts: StartRun[] = [];
    const { post, close } = await serve(answering(completed, starts));
    const response = await post(`/api/ann/chat${query}`, { ...hello, conversation_id }, asAnn);
    await response.text();
    await close();
    return [response.status, starts[0]?.thread];
  };

  it('may stand in the body or in the query, and differ in neither', async () => {
    const thread = { id: stubThread.id };
    expect(await ask('', stubThread.id)).toEqual([200, thread]);
    expect(await ask(`?conversation_id=${stubThread.id}`)).toEqual([200, thread]);
    expect(await ask(`?conversation_id=${stubThread.id}`, stubThread.id)).toEqual([200, thread]);
    expect(await ask(`?conversation_id=${stubThread.id}`, other)).toEqual([400, undefined]);
    for (const nothing of [null, '']) expect(await ask('', nothing)).toEqual([200, { create: {} }]);
  });

  it('of nobody is answered like one of somebody else', async () => {
    const { post } = await serve({ runs: { start: threadNotFound } });
    for (const conversation_id of [other, 'x']) {
      const response = await post('/api/ann/chat', { ...hello, conversation_id }, asAnn);
      expect([response.status, await response.json()]).toEqual([404, refusal('Conversation not found', 'NOT_FOUND_001')]);
    }
  });

  it('in the query is part of what an Idempotency-Key repeats', async () => {
    const starts: StartRun[] = [];
    const { post } = await serve(answering(completed, starts));
    for (const id of [stubThread.id, other]) await post(`/api/ann/chat?conversation_id=${id}`, hello, { ...asAnn, 'idempotency-key': 'k' });
    expect(starts[0]?.repeat?.fingerprint).not.toBe(starts[1]?.repeat?.fingerprint);
  });
});

describe('content', () => {
  const ask = async (message: unknown) => {
    const { post, close } = await serve(answering());
    const response = await post('/api/ann/chat', { message }, asAnn);
    const body = await response.json();
    await close();
    return [response.status, body];
  };

  it.each(['👋'.repeat(10_000), '\u200b', ' x '])('%.10s is taken', async (content) => {
    expect((await ask({ content, role: 'user' }))[0]).toBe(200);
  });

  it.each([
    ['nothing', undefined],
    ['a string', 'Hi'],
    ['no content', {}],
    ['empty content', { content: '' }],
    ['white space', { content: ' \n\u3000\u0085' }],
    ['too much', { content: '👋'.repeat(10_001) }],
    ['a number', { content: 5 }],
    ["the assistant's words", { content: 'Hi', role: 'assistant' }],
    ['instructions', { content: 'Hi', role: 'system' }],
  ])('%s is refused', async (_name, message) => {
    const details = { errors: [{ loc: expect.arrayContaining(['message']), msg: expect.any(String), type: expect.any(String) }] };
    expect(await ask(message)).toMatchObject([422, { success: false, code: 'INPUT_001', details }]);
  });
});

describe('an answer that does not come', () => {
  const failure = { code: 'x', detail: 'The model is asleep', retryable: false };

  it.each([
    ['failed', 502, refusal('The model is asleep', 'RUN_001')],
    ['cancelled', 409, refusal('The answer was cancelled.', 'RUN_003')],
  ] as const)('because it %s names its run', async (status, code, body) => {
    const { post } = await serve(answering({ ...stubRun, status, failure }));
    const response = await post('/api/ann/chat', hello, asAnn);
    expect([response.status, await response.json()]).toEqual([code, { ...body, details: { run_id: stubRun.id } }]);
  });

  it('in time names the run that goes on', async () => {
    const late = () => Promise.reject(new AppError('run_timeout', 'late'));
    const { post } = await serve({ runs: { ...answering().runs, await: late } });
    const response = await post('/api/ann/chat', hello, asAnn);
    expect([response.status, await response.json()]).toMatchObject([504, { code: 'RUN_002', details: { run_id: stubRun.id } }]);
  });
});

describe('conversations', () => {
  const shown = {
    id: stubThread.id,
    user_id: 'ann',
    title: null,
    status: 'active',
    created_at: '2023-11-14T22:13:20.000Z',
    updated_at: '2023-11-14T22:13:20.000Z',
  };
  const path = '/api/ann/conversations';

  it('are listed page by page', async () => {
    const queries: ThreadQuery[] = [];
    const list = async (_owner: unknown, query: ThreadQuery) => {
      queries.push(query);
      return [stubThread, { ...stubThread, archived: true }].slice(0, query.limit);
    };
    const { send } = await serve({ threads: { list } });
    const first = (await (await send(`${path}?limit=1`, { headers: asAnn })).json()) as { next_cursor: string };
    expect(first).toEqual({ conversations: [shown], next_cursor: expect.any(String) });
    const rest = await (await send(`${path}?cursor=${first.next_cursor}&status=archived`, { headers: asAnn })).json();
    expect(rest).toEqual({ conversations: [shown, { ...shown, status: 'archived' }], next_cursor: null });
    expect(queries).toEqual([
      { limit: 2, cursor: null, archived: false },
      { limit: 21, cursor: { updatedAt: stubThread.updatedAt, key: stubThread.key }, archived: true },
    ]);
    for (const query of ['limit=0', 'limit=101', 'cursor=x', 'status=gone']) {
      expect([400, 422], query).toContain((await send(`${path}?${query}`, { headers: asAnn })).status);
    }
  });

  it('are made, with a title or without', async () => {
    const made: CreateThread[] = [];
    const create = async (input: CreateThread) => {
      made.push(input);
      return { thread: { ...stubThread, title: input.title ?? null }, replayed: false };
    };
    const { post, send } = await serve({ threads: { create } });
    const response = await post(path, { title: 'Trip' }, asAnn);
    expect([response.status, await response.json()]).toEqual([200, { ...shown, title: 'Trip' }]);
    expect(await (await send(path, { method: 'POST', headers: asAnn })).json()).toEqual(shown);
    expect(made.map(({ title }) => title)).toEqual(['Trip', null]);
    expect((await post(path, { title: 5 }, asAnn)).status).toBe(422);
  });

  it('are shown with their messages, oldest first', async () => {
    const messages = async () => [storedMessage(2, 'assistant', 'Well.'), storedMessage(1, 'user', '<b>Hi')];
    const { send } = await serve({ threads: { find: async () => stubThread, messages } });
    const timestamp = '1970-01-01T00:00:00.000Z';
    expect(await (await send(`${path}/${stubThread.id}`, { headers: asAnn })).json()).toEqual({
      ...shown,
      messages: [
        { id: storedId(1), content: '<b>Hi', role: 'user', timestamp, type: 'text', status: 'completed' },
        { id: storedId(2), content: 'Well.', role: 'assistant', timestamp, type: 'text', status: 'completed' },
      ],
    });
  });

  it('are deleted', async () => {
    const deleted: unknown[] = [];
    const { send } = await serve({ threads: { delete: async (owner, ref) => void deleted.push(owner, ref) } });
    const response = await send(`${path}/${stubThread.id}`, { method: 'DELETE', headers: asAnn });
    expect([response.status, await response.json()]).toEqual([200, { success: true, deleted: true, conversation_id: stubThread.id }]);
    expect(deleted).toEqual([annCalling, { id: stubThread.id }]);
  });

  it('of nobody, or with a malformed id, are not found', async () => {
    const { send } = await serve({ threads: { find: threadNotFound, delete: threadNotFound } });
    for (const id of [stubThread.id, 'x']) {
      for (const method of ['GET', 'DELETE']) {
        const response = await send(`${path}/${id}`, { method, headers: asAnn });
        expect([response.status, await response.json()]).toEqual([404, refusal('Conversation not found', 'NOT_FOUND_001')]);
      }
    }
  });
});

it('tool calls are those in the answer, with what came back', () => {
  expect(
    toToolCalls([
      { type: 'text', text: 'Let me see.' },
      { type: 'tool_call', call_id: 'a', name: 'search', arguments: '{"q":"x"}' },
      { type: 'tool_call', call_id: 'b', name: 'odd', arguments: 'not JSON' },
      { type: 'tool_result', call_id: 'a', name: 'search', status: 'completed', result: 'found' },
    ]),
  ).toEqual([
    { name: 'search', arguments: { q: 'x' }, result: 'found', status: 'completed' },
    { name: 'odd', arguments: 'not JSON' },
  ]);
});
