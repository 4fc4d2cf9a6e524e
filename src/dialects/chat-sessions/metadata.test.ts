import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../../test/support/app.ts';
import { answer, type Step, startUpstream } from '../../../test/support/upstream.ts';

interface HistoryPage {
  readonly total: number;
  readonly sessions: readonly { readonly id: number; readonly total_tokens: number; readonly last_message_at: string }[];
}

const manyTags = (length: number) => Array.from({ length }, (_, index) => `t${index}`);
const numbersOf = ({ sessions }: HistoryPage) => sessions.map(({ id }) => id);

async function askOf(app: TestApp, content: string, more: object = {}): Promise<number> {
  const response = await app.post('/v1/chat/stream', { model: 'gpt-4', messages: [{ role: 'user', content }], ...more });
  await response.text();
  return Number(response.headers.get('x-session-id'));
}

describe('sessions', () => {
  let app: TestApp;
  beforeEach(async () => {
    app = await startTestApp();
  });
  afterEach(() => app.close());

  const ask = (content: string, more: object = {}) => askOf(app, content, more);
  const history = async (query = '', headers = {}) =>
    (await (await app.send(`/v1/chat/history${query}`, { headers })).json()) as HistoryPage;

  it('searches titles and messages for all words, and within tags', async () => {
    const [paris, rome] = [
      await ask('Vacation hotels in Paris', { tags: ['trip', 'work'] }),
      await ask('Vacation cafés in Rome', { tags: ['trip'] }),
    ];
    await ask('Nothing of it');
    const numbers = async (query: string) => {
      const page = await history(query);
      expect([page.total, page.sessions.length]).toEqual([page.total, page.total]);
      return numbersOf(page);
    };
    expect(await numbers('?search_term=PARIS+hotel')).toEqual([paris]);
    expect(await numbers('?search_term=cafe+rom')).toEqual([]);
    expect(await numbers('?search_term=cafes+rom')).toEqual([rome]);
    expect(await numbers('?search_term=%22*%22')).toEqual([]);
    expect(await numbers('?search_term=vac&tags=trip')).toEqual([rome, paris]);
    expect(await numbers('?search_term=vac&tags=trip&tags=work')).toEqual([paris]);
    expect(await numbers('?tags=tri')).toEqual([]);
    for (const query of ['?search_term=', '?search_term=+&tags=trip', '?search_term=&tags=&model='])
      expect((await history(query)).total).toBe(query.includes('trip') ? 2 : 3);
    const threads = (await (await app.send('/polylogue/v1/threads?q=&tag=&model=')).json()) as { data: readonly unknown[] };
    expect(threads.data).toHaveLength(3);
    const second = await history('?search_term=vac&page=2&page_size=1');
    expect([second.total, numbersOf(second)]).toEqual([2, [paris]]);
    expect((await history('?search_term=vac', { 'x-user-id': 'somebody else' })).total).toBe(0);
    await app.send(`/v1/chat/sessions/${paris}?archive=true`, { method: 'DELETE' });
    expect(await numbers('?search_term=vac')).toEqual([rome]);
  });

  it('tags are added and taken away, and shown with the figures', async () => {
    const session = await ask('One', { tags: ['a'] });
    const headers = { 'content-type': 'application/json' };
    const change = async (method: string, tags: unknown, id: number | string = session) => {
      const response = await app.send(`/api/chat/sessions/${id}/tags`, { method, headers, body: JSON.stringify({ tags }) });
      return [response.status, await response.json()];
    };
    expect(await change('POST', ['b', 'a', 'ü"%'])).toEqual([200, { message: 'Tags added successfully', tags: ['a', 'b', 'ü"%'] }]);
    await ask('Two', { session_id: session, tags: ['c', 'b'] });
    expect(await change('DELETE', ['a', 'none'])).toEqual([200, { message: 'Tags removed successfully', tags: ['b', 'ü"%', 'c'] }]);
    for (const wrong of [undefined, [], [''], [5], 'a', manyTags(101)]) expect((await change('POST', wrong))[0]).toBe(422);
    expect((await change('POST', manyTags(98)))[0]).toBe(422);
    const more = { session_id: session, tags: manyTags(98) };
    const refused = await app.post('/v1/chat/stream', { model: 'gpt-4', messages: [{ role: 'user', content: 'Three' }], ...more });
    expect([refused.status, await refused.json()]).toMatchObject([422, { errors: [{ loc: ['body', 'tags'] }] }]);
    expect(await change('POST', ['x'], 4_711)).toEqual([404, { detail: 'Chat session not found', code: 'thread_not_found' }]);
    const [shown] = (await history('?tags=c')).sessions;
    const metadata = await app.send(`/v1/chat/sessions/${session}/metadata`);
    expect(metadata.headers.get('x-session-id')).toBe(String(session));
    expect(await metadata.json()).toEqual({
      message_count: 4,
      total_tokens: shown?.total_tokens,
      last_message_at: shown?.last_message_at,
      tags: ['b', 'ü"%', 'c'],
      summary: null,
    });
    for (const [id, status] of [
      ['4711', 404],
      ['one', 422],
    ] as const) {
      expect((await app.send(`/v1/chat/sessions/${id}/metadata`)).status).toBe(status);
    }
  });

  it('with the demo model have the tokens of their texts', async () => {
    const question = 'Wo liegt Lissabon? 東京は?';
    const session = await ask(question);
    const page = (await (await app.send('/v1/chat/history')).json()) as {
      sessions: readonly { messages: readonly { content: string }[] }[];
    };
    const texts = page.sessions[0]?.messages.map(({ content }) => content) ?? [];
    expect(texts).toEqual([question, expect.stringContaining('demo model')]);
    const metadata = await app.send(`/v1/chat/sessions/${session}/metadata`);
    expect(await metadata.json()).toMatchObject({ total_tokens: texts.reduce((sum, text) => sum + countTokens(text), 0) });
  });
});

it('the tokens are what providers tell, and else those of the text', async () => {
  const script: Step[] = answer(['Es sind ', 'viele: 東京都.']);
  const upstream = await startUpstream(script);
  const app = await startTestApp({ env: { OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: 'k' } });
  const imported = 'Wie viele Wörter sind das? '.repeat(40);
  const session = await askOf(app, '', {
    messages: [
      { role: 'assistant', content: imported },
      { role: 'user', content: 'Wie viele?' },
    ],
  });
  const totals = async () => {
    const metadata = (await (await app.send(`/v1/chat/sessions/${session}/metadata`)).json()) as { total_tokens: number };
    const page = (await (await app.send('/v1/chat/history')).json()) as HistoryPage;
    return [metadata.total_tokens, page.sessions[0]?.total_tokens];
  };
  const texts = [imported, 'Wie viele?', 'Es sind viele: 東京都.'].map((text) => countTokens(text));
  const own = texts.reduce((sum, tokens) => sum + tokens);
  // A text longer than 1,000 characters is counted in pieces, which may cost a token each.
  const close = (expected: number) => [expect.toSatisfy((tokens: number) => tokens >= expected && tokens <= expected + 1)];
  const [first, listed] = await totals();
  expect([first]).toEqual(close(own));
  expect(listed).toBe(first);
  script.splice(0, script.length, ...answer(['Yes.'], { usage: [111, 7] }));
  await askOf(app, 'Are you sure, quite sure?', { session_id: session });
  expect(await totals()).toEqual([Number(first) + 118, Number(first) + 118]);
  await app.close();
  await upstream.close();
});
