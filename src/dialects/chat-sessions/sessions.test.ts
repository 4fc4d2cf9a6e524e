import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../../test/support/app.ts';
import { type DialectServer, serveDialect } from '../../../test/support/dialect-server.ts';
import { storedMessage, stubEngine, stubRun, stubThread } from '../../../test/support/stub-engine.ts';
import { AppError } from '../../core/errors.ts';
import type { ThreadFilter, ThreadQuery } from '../../core/ports/thread-query.ts';
import { chatSessions } from './index.ts';

interface Session {
  readonly id: number;
  readonly model: string;
  readonly title: string;
  readonly messages: readonly { role: string; content: string }[];
  readonly message_count: number;
  readonly total_tokens: number;
  readonly last_message_at: string;
  readonly updated_at: string;
}

interface HistoryPage {
  readonly total: number;
  readonly page: number;
  readonly page_size: number;
  readonly sessions: readonly Session[];
}

describe('over a whole server', () => {
  let app: TestApp;
  beforeEach(async () => {
    app = await startTestApp();
  });
  afterEach(() => app.close());

  const history = async (query = '', headers = {}) =>
    (await (await app.send(`/v1/chat/history${query}`, { headers })).json()) as HistoryPage;
  const numbersOf = ({ sessions }: HistoryPage) => sessions.map(({ id }) => id);

  async function ask(content: string, more: object = {}): Promise<number> {
    const response = await app.post('/v1/chat/stream', { model: 'gpt-4', messages: [{ role: 'user', content }], ...more });
    await response.text();
    return Number(response.headers.get('x-session-id'));
  }

  it('the history has a session as soon as it was asked in, newest update first, page by page', async () => {
    const [first, second, third] = [await ask('One'), await ask('Two', { model: 'gpt-3.5-turbo' }), await ask('Three')];
    await ask('More', { session_id: first });
    const all = await history();
    expect([all.total, all.page, all.page_size, numbersOf(all)]).toEqual([3, 1, 10, [first, third, second]]);
    const [newest] = all.sessions;
    expect(newest?.messages.map(({ role, content }) => [role, content.split('\n').at(2) ?? content])).toEqual([
      ['user', 'One'],
      ['assistant', '> One'],
      ['user', 'More'],
      ['assistant', '> More'],
    ]);
    expect(newest).toMatchObject({ title: 'One', model: 'gpt-4', message_count: 4, summary: null, tags: [] });
    expect(newest?.total_tokens).toBeGreaterThan(10);
    expect(newest?.last_message_at).toBe(newest?.updated_at);
    expect([numbersOf(await history('?page=2&page_size=2')), numbersOf(await history('?page=9'))]).toEqual([[second], []]);
    const filtered = await history('?model=gpt-3.5-turbo&start_date=2024-01-01T00:00:00.000001');
    expect([filtered.total, numbersOf(filtered)]).toEqual([1, [second]]);
    expect((await history('?end_date=2024-01-01')).total).toBe(0);
    expect((await history('', { 'x-user-id': 'somebody else' })).total).toBe(0);
  });

  it('archived and deleted sessions are not in the history', async () => {
    const [archived, deleted, kept] = [await ask('One'), await ask('Two'), await ask('Three')];
    await app.send(`/v1/chat/sessions/${archived}?archive=true`, { method: 'DELETE' });
    await app.send(`/v1/chat/sessions/${deleted}`, { method: 'DELETE' });
    const all = await history();
    expect([all.total, numbersOf(all)]).toEqual([1, [kept]]);
  });

  it('a session of another door shows the model that answers in it, and is found by it', async () => {
    const created = await app.post('/levia/chat/create', { user_id: 'ann' });
    const { session_id } = (await created.json()) as { session_id: string };
    for (const query of ['', '?model=gpt-4']) {
      expect((await history(query, { 'x-user-id': 'ann' })).sessions).toMatchObject([{ thread_id: session_id, model: 'gpt-4' }]);
    }
    expect((await history('?model=gpt-3.5-turbo', { 'x-user-id': 'ann' })).total).toBe(0);
  });

  it('leaves the oldest messages of a long session out and counts them', async () => {
    const messages = Array.from({ length: 205 }, (_, index) => ({ role: index % 2 ? 'assistant' : 'user', content: `m${index}` }));
    const session = await ask('', { messages });
    const [long] = (await history()).sessions;
    expect(long).toMatchObject({ id: session, message_count: 206, messages_truncated: true });
    expect([long?.messages.length, long?.messages[0]?.content]).toEqual([200, 'm6']);
  });

  it('switching names the model of the answers to come, and of no other session', async () => {
    const session = await ask('One');
    const other = await ask('Two');
    const switched = await app.post('/api/chat/switch-model', { session_id: session, model: 'gpt-3.5-turbo' });
    expect([switched.status, switched.headers.get('x-session-id')]).toEqual([200, String(session)]);
    expect(await switched.json()).toMatchObject({
      session_id: session,
      model: 'gpt-3.5-turbo',
      title: 'One',
      messages: [{ role: 'user', content: 'One' }, { role: 'assistant' }],
    });
    for (const [session_id, model] of [
      [session, 'gpt-3.5-turbo'],
      [other, 'gpt-4'],
    ]) {
      const answer = await app.post('/v1/chat/stream', { model: 'gpt-4', session_id, messages: [{ role: 'user', content: 'Again' }] });
      await answer.text();
      expect(answer.headers.get('x-model')).toBe(model);
    }
  });
});

describe('over a stub', () => {
  let server: DialectServer | undefined;
  afterEach(() => server?.close());

  it.each([
    ['page=0', 422],
    ['page=1.5', 422],
    ['page=1&page=2', 422],
    ['page_size=101', 422],
    ['page_size=', 422],
    ['start_date=yesterday', 422],
    ['end_date=2024-02-30', 422],
    ['start_date=2024-01-02&end_date=2024-01-01', 400],
    [`search_term=${'x'.repeat(1_001)}`, 422],
    ['search_term=x&search_term=y', 422],
    [`search_term=${Array.from({ length: 65 }, (_, index) => `w${index}`).join('+')}`, 422],
    [Array.from({ length: 21 }, (_, index) => `tags=t${index}`).join('&'), 422],
    [`tags=${'x'.repeat(256)}`, 422],
  ])('refuses the query %s', async (query, status) => {
    server = await serveDialect(chatSessions, stubEngine({}));
    const response = await server.send(`/v1/chat/history?${query}`);
    expect([response.status, await response.json()]).toMatchObject([status, { detail: expect.any(String), code: expect.any(String) }]);
  });

  it('asks for exactly the page, counting with the same filter', async () => {
    const asked: (ThreadFilter | ThreadQuery)[] = [];
    const threads = {
      count: async (_owner: unknown, filter: ThreadFilter) => asked.push(filter),
      list: async (_owner: unknown, query: ThreadQuery) => {
        asked.push(query);
        return [];
      },
    };
    server = await serveDialect(chatSessions, stubEngine({ threads }));
    await server.send('/v1/chat/history?page=3&page_size=100&model=gpt-4&start_date=2024-01-01&end_date=2024-01-01');
    const filter = { archived: false, model: 'gpt-4', orNoModel: true, createdAfter: 1_704_067_200_000, createdBefore: 1_704_067_200_000 };
    expect(asked).toEqual([filter, { ...filter, limit: 100, offset: 200, cursor: null }]);
  });

  it('leaves out a session that is deleted meanwhile', async () => {
    const gone = { ...stubThread, number: 7 };
    const threads = {
      count: async () => 2,
      list: async () => [gone, stubThread],
      messages: async (_owner: unknown, ref: object) =>
        'number' in ref && ref.number === 7 ? Promise.reject(new AppError('thread_not_found', '')) : [storedMessage(1, 'user', 'Hi')],
      measure: async () => ({ messages: 1, lastMessageAt: null, totalTokens: 0 }),
    };
    server = await serveDialect(chatSessions, stubEngine({ threads }));
    const page = (await (await server.send('/v1/chat/history')).json()) as HistoryPage;
    expect(page.sessions.map(({ id }) => id)).toEqual([stubThread.number]);
  });

  it('refuses to switch what is not there, or to what is not there', async () => {
    const change = (code: 'thread_not_found' | 'model_unknown') => async () => Promise.reject(new AppError(code, 'no'));
    for (const [code, status, detail] of [
      ['thread_not_found', 404, 'Chat session not found'],
      ['model_unknown', 400, 'no'],
    ] as const) {
      server = await serveDialect(chatSessions, stubEngine({ threads: { change: change(code) } }));
      const response = await server.post('/v1/chat/switch-model', { session_id: stubRun.threadNumber, model: 'x' });
      expect([response.status, await response.json()]).toEqual([status, { detail, code }]);
      await server.close();
    }
    server = await serveDialect(chatSessions, stubEngine({}));
    for (const body of [{}, { session_id: '5', model: 'x' }, { session_id: 5 }, { session_id: 0, model: 'x' }]) {
      expect((await server.post('/v1/chat/switch-model', body)).status).toBe(422);
    }
  });
});
