import { describe, expect, it } from 'vitest';
import { serveInTests } from '../../../test/support/dialect-server.ts';
import { annCalling, completedWith, followOf, stubRun, stubThread, textFact } from '../../../test/support/stub-engine.ts';
import { AppError } from '../../core/errors.ts';
import type { CreateThread, StartRun } from '../../engine/index.ts';
import { levia } from './index.ts';

const serve = serveInTests(levia);

const chatBody = { user_id: 'ann', intent: 'Hi', session_id: stubThread.id };
const unknownThread = () => Promise.reject(new AppError('thread_not_found', 'There is no such thread'));
const unknownRun = () => Promise.reject(new AppError('run_not_found', 'There is no such run'));
const unknownSession = { status: 'error', message: 'Session ID does not exist or has expired' };
const unknownRequest = 'data: {"type":"error","data":{"error":"Invalid or expired request ID"}}\n\n';

describe('POST /levia/chat/create', () => {
  it('makes a session that knows the last turns of the user', async () => {
    const calls: CreateThread[] = [];
    const create = async (input: CreateThread) => {
      calls.push(input);
      return { thread: stubThread, replayed: calls.length > 1 };
    };
    const { post } = await serve({ threads: { create } });
    const response = await post('/levia/chat/create', { user_id: 'ann', extra: 1 });
    expect(response.status).toBe(201);
    expect(response.headers.get('x-thread-id')).toBe(stubThread.id);
    expect(await response.json()).toEqual({ status: 'success', session_id: stubThread.id, message: 'New chat session created' });
    expect(calls).toEqual([{ owner: annCalling, carryTurns: 3, repeat: null }]);
    const again = await post('/levia/chat/create', { user_id: 'ann' }, { 'idempotency-key': 'k' });
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([201, 'true']);
    expect(calls[1]?.repeat?.key).toBe('k');
  });

  it.each([
    ['no object', [], 'The body must be a JSON object.'],
    ['no user', {}, 'Missing user_id parameter'],
    ['an empty user', { user_id: '' }, 'Missing user_id parameter'],
    ['a number', { user_id: 5 }, 'The user_id parameter must be a string'],
    ['NUL', { user_id: 'a\0' }, 'The body contains a NUL character or half of a surrogate pair.'],
    ['half a pair', { user_id: 'a\ud83d' }, 'The body contains a NUL character or half of a surrogate pair.'],
    ['a long user', { user_id: 'x'.repeat(256) }, 'The user id must have 1 to 255 characters.'],
  ])('refuses %s', async (_name, body, message) => {
    const { post } = await serve();
    const response = await post('/levia/chat/create', body);
    expect([response.status, await response.json()]).toEqual([400, { status: 'error', message }]);
  });

  it('asks for the key before it looks at the body', async () => {
    const { post } = await serve();
    for (const authorization of ['', 'Bearer wrong', 'Basic x']) {
      const response = await post('/levia/chat/create', [], { authorization });
      expect([response.status, await response.json()]).toEqual([401, { status: 'error', message: 'Invalid or missing API key' }]);
    }
    const foreign = await post('/levia/chat/create', { user_id: 'ann' }, { authorization: 'Bearer jwt-bob' });
    expect([foreign.status, await foreign.json()]).toEqual([401, { status: 'error', message: 'Invalid or missing API key' }]);
    expect((await post('/levia/chat/create?api_key=plg_server', { user_id: 'ann' }, { authorization: '' })).status).toBe(401);
  });
});

describe('POST /levia/chat', () => {
  it('starts a request', async () => {
    const calls: StartRun[] = [];
    const start = async (input: StartRun) => {
      calls.push(input);
      return { run: stubRun, thread: stubThread, replayed: false, rate: null };
    };
    const { post } = await serve({ runs: { start } });
    const response = await post('/levia/chat', chatBody);
    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({
      status: 'success',
      request_id: stubRun.id,
      message: `Processing started, connect to /levia/chat/stream/${stubRun.id} for updates`,
    });
    expect([response.headers.get('x-thread-id'), response.headers.get('x-run-id')]).toEqual([stubThread.id, stubRun.id]);
    expect(calls[0]).toEqual({
      owner: annCalling,
      thread: { id: stubThread.id },
      ask: { kind: 'append', messages: [{ role: 'user', parts: [{ type: 'text', text: 'Hi' }] }] },
      repeat: null,
    });
  });

  it('names the first missing field', async () => {
    const { post } = await serve();
    const missing = async (body: object) => ((await (await post('/levia/chat', body)).json()) as { message: string }).message;
    expect(await missing({})).toBe('Missing user_id parameter');
    expect(await missing({ user_id: 'ann' })).toBe('Missing intent parameter');
    expect(await missing({ user_id: 'ann', intent: 'Hi' })).toBe('Missing session_id parameter');
  });

  it('tells only keys that act for all that a session is somebody else’s', async () => {
    const { post } = await serve({ runs: { start: unknownThread }, threads: { existsInApplication: async () => true } });
    const answer = async (authorization: string, body: object = chatBody) => {
      const response = await post('/levia/chat', body, { authorization });
      return [response.status, await response.json()];
    };
    expect(await answer('Bearer plg_server')).toEqual([401, { status: 'error', message: 'Session ID does not belong to this user' }]);
    expect(await answer('Bearer jwt-ann')).toEqual([401, unknownSession]);
    expect(await answer('Bearer jwt-bob')).toEqual([401, unknownSession]);
    expect(await answer('Bearer plg_server', { ...chatBody, session_id: 'x' })).toEqual([401, unknownSession]);
    expect((await answer('Bearer plg_browser'))[0]).toBe(403);
  });

  it('does not know a session that nobody has', async () => {
    const { post } = await serve({ runs: { start: unknownThread }, threads: { existsInApplication: async () => false } });
    const response = await post('/levia/chat', chatBody);
    expect([response.status, await response.json()]).toEqual([401, unknownSession]);
  });
});

describe('GET /levia/chat/stream/{request_id}', () => {
  const follow = followOf([textFact('Hé'), textFact('llo'), completedWith('Héllo')]);
  const path = `/levia/chat/stream/${stubRun.id}`;
  const frames = [
    'id: 1\ndata: {"type":"stream","data":{"content":"H\\u00e9","type":"text"}}\n\n',
    'id: 2\ndata: {"type":"stream","data":{"content":"llo","type":"text"}}\n\n',
    'id: 3\ndata: {"type":"complete","data":{"reply":"H\\u00e9llo"}}\n\n',
  ];

  it('streams the answer from the start', async () => {
    const { send } = await serve({ runs: { findInApplication: async () => stubRun, follow } });
    const response = await send(path);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(response.headers.get('x-run-id')).toBe(stubRun.id);
    expect(await response.text()).toBe(frames.join(''));
    expect(await (await send(`${path}?api_key=plg_server`, { headers: { authorization: '' } })).text()).toBe(frames.join(''));
  });

  it('resumes behind Last-Event-ID with the whole reply', async () => {
    const { send } = await serve({ runs: { findInApplication: async () => stubRun, follow } });
    const response = await send(path, { headers: { 'last-event-id': '1' } });
    expect(await response.text()).toBe(frames.slice(1).join(''));
    const malformed = await send(path, { headers: { 'last-event-id': '-1' } });
    expect([malformed.status, await malformed.text()]).toEqual([
      200,
      'data: {"type":"error","data":{"error":"Invalid Last-Event-ID"}}\n\n',
    ]);
  });

  it('answers what it does not know with one error frame', async () => {
    const { send } = await serve({ runs: { findInApplication: unknownRun, find: unknownRun } });
    for (const [id, authorization] of [
      [stubRun.id, 'Bearer plg_server'],
      ['x', 'Bearer plg_server'],
      [stubRun.id, 'Bearer jwt-bob'],
    ]) {
      const response = await send(`/levia/chat/stream/${id}`, { headers: { authorization: authorization ?? '' } });
      expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
        200,
        'text/event-stream',
        unknownRequest,
      ]);
    }
    expect((await send(path, { headers: { authorization: '' } })).status).toBe(401);
  });
});

describe('GET /levia/chat/request/{user_id}', () => {
  const nothing = { status: 'error', message: 'No active request found for this user' };

  it('gives the newest unfinished request', async () => {
    const { send } = await serve({ runs: { active: async (owner) => (owner.userId === 'ann' ? stubRun : null) } });
    const found = await send('/levia/chat/request/ann');
    expect([found.status, await found.json()]).toEqual([200, { status: 'success', request_id: stubRun.id }]);
    expect(found.headers.get('x-run-id')).toBe(stubRun.id);
    const none = await send(`/levia/chat/request/${'%F0%9F%98%80'.repeat(60)}`);
    expect([none.status, await none.json()]).toEqual([404, nothing]);
    const foreign = await send('/levia/chat/request/ann', { headers: { authorization: 'Bearer jwt-bob' } });
    expect([foreign.status, await foreign.json()]).toEqual([404, nothing]);
  });
});
