import { afterEach, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';

const LIMIT = 40;
let app: TestApp | null = null;

afterEach(async () => {
  await app?.close();
  app = null;
});

interface Serving {
  readonly app: TestApp;
  readonly headers: Readonly<Record<string, string>>;
}

/** A server with these bounds on its users, and how user ann shows herself. */
async function serve(user: object, demo: object = { tokenDelayMs: 0 }): Promise<Serving> {
  const started = await startTestApp({ file: { demo, tiers: { default: { user } } } });
  app = started;
  return { app: started, headers: { authorization: `Bearer ${await started.token('ann')}` } };
}

const asks: readonly (readonly [string, (serving: Serving) => Promise<Response>])[] = [
  [
    'chat-sessions',
    ({ app, headers }) => app.post('/v1/chat/stream', { model: 'gpt-4', messages: [{ role: 'user', content: 'Hi' }] }, headers),
  ],
  ['graph stream', ({ app, headers }) => app.post('/api/v1/graph/stream', { message: 'Hi' }, headers)],
  ['graph invoke', ({ app, headers }) => app.post('/api/v1/graph/invoke', { message: 'Hi' }, headers)],
  ['user-chat', ({ app, headers }) => app.post('/api/ann/chat', { message: { content: 'Hi' } }, headers)],
  [
    'levia',
    async ({ app, headers }) => {
      const made = await app.post('/levia/chat/create', { user_id: 'ann' }, headers);
      const { session_id } = (await made.json()) as { session_id: string };
      return app.post('/levia/chat', { user_id: 'ann', session_id, intent: 'Hi' }, headers);
    },
  ],
  [
    'native',
    async ({ app, headers }) => {
      const { id } = (await (await app.post('/polylogue/v1/threads', {}, headers)).json()) as { id: string };
      return app.post(`/polylogue/v1/threads/${id}/runs`, { text: 'Hi' }, headers);
    },
  ],
];

const numberIn = (response: Response, name: string) => Number(response.headers.get(`x-ratelimit-${name}`));

test('who asks is told how many messages are left, whatever the door', async () => {
  const serving = await serve({ messagesPerMinute: LIMIT });
  const left: number[] = [];
  for (const [name, ask] of asks) {
    const response = await ask(serving);
    await response.text();
    expect(response.status, name).toBeLessThan(300);
    expect(numberIn(response, 'limit'), name).toBe(LIMIT);
    const [remaining, reset] = [numberIn(response, 'remaining'), numberIn(response, 'reset')];
    expect([reset >= 1, reset <= 60], name).toEqual([true, true]);
    expect(response.headers.get('ratelimit'), name).toBe(`"messages-per-minute";r=${remaining};t=${reset}`);
    left.push(remaining);
  }
  expect(left).toEqual(asks.map((_, index) => LIMIT - 1 - index));
});

test.each(asks)('who has asked too often is told when to come back: %s', async (_name, ask) => {
  const serving = await serve({ messagesPerMinute: 1 });
  await (await serving.app.post('/api/ann/chat', { message: { content: 'Hi' } }, serving.headers)).text();
  const refused = await ask(serving);
  const reset = refused.headers.get('x-ratelimit-reset');
  expect([refused.status, refused.headers.get('retry-after'), numberIn(refused, 'remaining')]).toEqual([429, reset, 0]);
  expect(Number(reset)).toBeGreaterThanOrEqual(1);
  expect(refused.headers.get('content-type')).toMatch(/json/);
});

describe('where another stream would be one too many', () => {
  const opening: readonly (readonly [string, object])[] = [
    ['/v1/chat/stream', { model: 'gpt-4', messages: [{ role: 'user', content: 'Hi' }] }],
    ['/api/v1/graph/stream', { message: 'Hi' }],
  ];

  test.each(opening)('nothing is asked of a model: %s', async (path, body) => {
    const { app, headers } = await serve({ connections: 1 }, { tokenDelayMs: 100 });
    const { id } = (await (await app.post('/polylogue/v1/threads', {}, headers)).json()) as { id: string };
    const leave = new AbortController();
    const open = await app.send(`/polylogue/v1/threads/${id}/events`, { headers, signal: leave.signal });
    const refused = await app.post(path, body, headers);
    expect([open.status, refused.status, refused.headers.get('x-run-id')]).toEqual([200, 429, null]);
    const threads = (await (await app.send('/polylogue/v1/threads', { headers })).json()) as { data: object[] };
    expect(threads.data).toHaveLength(1);
    leave.abort();
    let next = refused;
    for (let tries = 0; next.status === 429 && tries < 100; tries += 1) next = await app.post(path, body, headers);
    expect(next.status).toBe(200);
    await next.body?.cancel();
  });

  test('a user is counted whose answer a key reads by its id', async () => {
    const { app, headers } = await serve({ connections: 1 }, { tokenDelayMs: 100 });
    const key = await app.key();
    const { id } = (await (await app.post('/polylogue/v1/threads', {}, headers)).json()) as { id: string };
    const run = (await (await app.post(`/polylogue/v1/threads/${id}/runs`, { text: 'Hi' }, headers)).json()) as { id: string };
    const read = () => app.send(`/levia/chat/stream/${run.id}`, { headers: { authorization: `Bearer ${key}` } });
    const [first, second] = [await read(), await read()];
    expect([first.status, second.status]).toEqual([200, 429]);
    expect(await second.json()).toMatchObject({ status: 'error' });
    await first.body?.cancel();
  });
});
