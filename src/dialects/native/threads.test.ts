import { describe, expect, it } from 'vitest';
import { serveInTests } from '../../../test/support/dialect-server.ts';
import { annCalling, type ExpectedCalls, storedId, storedMessage, stubThread } from '../../../test/support/stub-engine.ts';
import { AppError } from '../../core/errors.ts';
import type { ThreadKey } from '../../core/ids.ts';
import type { ThreadQuery } from '../../core/ports/thread-query.ts';
import type { CreateThread, Engine } from '../../engine/index.ts';
import { native } from './index.ts';

const base = '/polylogue/v1';
const threadPath = `${base}/threads/${stubThread.id}`;
const owner = { ...annCalling, userId: 'service', named: false };
const questionId = '01890000-0000-7000-8000-00000000000b';

const serve = serveInTests(native);

const threadView = {
  id: stubThread.id,
  title: null,
  model: 'gpt-4',
  agent: null,
  tags: [],
  archived: false,
  metadata: {},
  head_id: null,
  created_at: '2023-11-14T22:13:20.000Z',
  updated_at: '2023-11-14T22:13:20.000Z',
};

describe('threads', () => {
  it('are made, with or without a body', async () => {
    const calls: CreateThread[] = [];
    const create = async (input: CreateThread) => {
      calls.push(input);
      return { thread: stubThread, replayed: calls.length > 1 };
    };
    const { send, post } = await serve({ threads: { create } });
    const first = await send(`${base}/threads`, { method: 'POST' });
    expect(first.status).toBe(201);
    expect(first.headers.get('location')).toBe(threadPath);
    expect(first.headers.get('x-thread-id')).toBe(stubThread.id);
    expect(await first.json()).toEqual(threadView);
    const body = { title: 'T', model: null, tags: ['a'], metadata: { k: [1] } };
    const again = await post(`${base}/threads`, body, { 'x-user-id': 'ann', 'idempotency-key': 'k' });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(calls).toEqual([
      { owner, repeat: null },
      { owner: annCalling, ...body, repeat: { key: 'k', fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) } },
    ]);
  });

  it.each([
    [{ titel: 'x' }, ['titel']],
    [{ title: '' }, ['title']],
    [{ title: 'x'.repeat(256) }, ['title']],
    [{ tags: ['x'.repeat(51)] }, ['tags', 0]],
    [{ tags: Array.from({ length: 21 }, String) }, ['tags']],
    [{ metadata: [] }, ['metadata']],
    [{ metadata: { a: 'x'.repeat(16_384) } }, ['metadata']],
    [{ metadata: Object.fromEntries(Array.from({ length: 65 }, (_, index) => [index, 1])) }, ['metadata']],
    [{ archived: 'true' }, ['archived']],
  ])('are not made from %j', async (body, path) => {
    const { post } = await serve();
    const response = await post(`${base}/threads`, body);
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(await response.json()).toMatchObject({ status: 422, code: 'validation_failed', errors: [{ path }] });
  });

  it('are listed page by page', async () => {
    const queries: ThreadQuery[] = [];
    const list = async (_owner: unknown, query: ThreadQuery) => {
      queries.push(query);
      return Array.from({ length: query.cursor ? 1 : query.limit }, (_, index) => ({ ...stubThread, key: `k${index}` as ThreadKey }));
    };
    const { send } = await serve({ threads: { list } });
    const page = (await (
      await send(`${base}/threads?limit=2&model=m&tag=t&tag=u&archived=true&after=2024-01-01&q=Caf%C3%A9+au`)
    ).json()) as {
      data: unknown[];
      next_cursor: string;
    };
    expect(page.data).toEqual([threadView, threadView]);
    const last = (await (await send(`${base}/threads?cursor=${page.next_cursor}`)).json()) as { next_cursor: null };
    expect(last).toEqual({ data: [threadView], next_cursor: null });
    expect(queries).toEqual([
      {
        limit: 3,
        cursor: null,
        archived: true,
        words: [
          { text: 'cafe', prefix: false },
          { text: 'au', prefix: true },
        ],
        model: 'm',
        tags: ['t', 'u'],
        createdAfter: Date.UTC(2024, 0, 1),
      },
      { limit: 21, cursor: { updatedAt: stubThread.updatedAt, key: 'k1' }, archived: false },
    ]);
  });

  it.each([
    ['limit=0', 422],
    ['limit=101', 422],
    ['limit=1e1', 422],
    ['limit=1&limit=2', 422],
    ['archived=1', 422],
    ['before=2024-02-30', 422],
    [`q=${'x'.repeat(1_001)}`, 422],
    [`q=${Array.from({ length: 65 }, (_, index) => `w${index}`).join('+')}`, 422],
    ['q=a&q=b', 422],
    ['q=%00', 422],
    [Array.from({ length: 21 }, (_, index) => `tag=t${index}`).join('&'), 422],
    ['cursor=', 400],
    ['cursor=x', 400],
    [`cursor=${Buffer.from('[1]').toString('base64url')}`, 400],
    [`cursor=${Buffer.from('[1,"\' or 1=1"]').toString('base64url')}`, 400],
    [`cursor=${Buffer.from('[1,"k",2]').toString('base64url')}`, 400],
  ])('are not listed by %s', async (query, status) => {
    const { send } = await serve();
    expect(await (await send(`${base}/threads?${query}`)).json()).toMatchObject({ status });
  });

  it('are shown, changed and deleted', async () => {
    const changes: unknown[] = [];
    const { send } = await serve({
      threads: {
        find: async () => stubThread,
        change: async (...call) => {
          changes.push(call);
          return { ...stubThread, archived: true };
        },
        delete: async (...call) => void changes.push(call),
      },
    });
    expect(await (await send(threadPath.toUpperCase().replace(base.toUpperCase(), base).replace('THREADS', 'threads'))).json()).toEqual(
      threadView,
    );
    const headers = { 'content-type': 'application/json' };
    const changed = await send(threadPath, { method: 'PATCH', headers, body: '{"archived":true,"title":null}' });
    expect(await changed.json()).toEqual({ ...threadView, archived: true });
    const deleted = await send(threadPath, { method: 'DELETE' });
    expect([deleted.status, await deleted.text(), deleted.headers.get('x-thread-id')]).toEqual([204, '', stubThread.id]);
    expect(changes).toEqual([
      [owner, { id: stubThread.id }, { archived: true, title: null }],
      [owner, { id: stubThread.id }],
    ]);
  });

  it('that are not ours look like ids that are none', async () => {
    const missing = () => Promise.reject(new AppError('thread_not_found', 'There is no such thread.'));
    const { send } = await serve({ threads: { find: missing } });
    const answers = await Promise.all(
      [stubThread.id, 'x', '%00'].map(async (id) => {
        const response = await send(`${base}/threads/${id}`, { headers: { 'x-request-id': 'r' } });
        return [response.status, await response.text()];
      }),
    );
    expect(new Set(answers.map(String)).size).toBe(1);
    expect(answers[0]?.[0]).toBe(404);
  });

  it('need a credential', async () => {
    const { send } = await serve();
    expect((await send(threadPath, { headers: { authorization: '' } })).status).toBe(401);
  });
});

describe('messages', () => {
  it('are listed newest first, page by page', async () => {
    const pages: unknown[] = [];
    const messages: Engine['threads']['messages'] = async (_owner, _ref, page) => {
      pages.push(page);
      return [storedMessage(4, 'assistant', 'four'), storedMessage(3, 'user', 'three')].slice(0, page.limit);
    };
    const { send } = await serve({ threads: { messages } });
    const first = (await (await send(`${threadPath}/messages?limit=1&branch=${questionId}`)).json()) as {
      next_cursor: string;
      data: unknown;
    };
    expect(first.data).toEqual([
      {
        id: storedId(4),
        thread_id: stubThread.id,
        seq: 4,
        parent_id: storedId(3),
        role: 'assistant',
        status: 'completed',
        parts: [{ type: 'text', text: 'four' }],
        run_id: null,
        model: null,
        usage: null,
        created_at: '1970-01-01T00:00:00.000Z',
      },
    ]);
    await send(`${threadPath}/messages?cursor=${first.next_cursor}`);
    expect(pages).toEqual([
      { branch: questionId, limit: 2 },
      { branch: storedId(3), limit: 21 },
    ]);
    expect((await send(`${threadPath}/messages?branch=x`)).status).toBe(404);
  });

  it('are chosen as head', async () => {
    const { send } = await serve({ threads: { setHead: async (_owner, _ref, id) => ({ ...stubThread, headId: id }) } });
    const init = { method: 'PUT', headers: { 'content-type': 'application/json' } };
    const response = await send(`${threadPath}/head`, { ...init, body: JSON.stringify({ message_id: questionId }) });
    expect(await response.json()).toEqual({ ...threadView, head_id: questionId });
    expect((await send(`${threadPath}/head`, { ...init, body: '{}' })).status).toBe(422);
  });
});

describe('the events of a thread', () => {
  function threadWith(seen: number[]): ExpectedCalls {
    return {
      threads: {
        lastEvent: async () => 7,
        follow: async (_owner, _ref, { after, onEvents }) => {
          seen.push(after);
          await onEvents([{ type: 'run.ended', run_id: 'r', status: 'completed', number: after + 1 }]);
          await onEvents([{ type: 'thread.deleted', number: after + 2 }]);
        },
      },
    };
  }

  it('begin now, or behind a cursor', async () => {
    const seen: number[] = [];
    const { send } = await serve(threadWith(seen));
    const response = await send(`${threadPath}/events`);
    expect(await response.text()).toBe(
      'id: 8\nevent: run.ended\ndata: {"type":"run.ended","run_id":"r","status":"completed","number":8}\n\n' +
        'id: 9\nevent: thread.deleted\ndata: {"type":"thread.deleted","number":9}\n\n',
    );
    await (await send(`${threadPath}/events?after=3`)).text();
    await (await send(`${threadPath}/events`, { headers: { 'last-event-id': '5' } })).text();
    expect(seen).toEqual([7, 3, 5]);
  });
});
