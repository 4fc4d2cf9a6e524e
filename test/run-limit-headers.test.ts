import { afterEach, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';

let app: TestApp | null = null;

afterEach(async () => {
  await app?.close();
  app = null;
});

/** A server whose answers take as long as a test does. */
async function serve(tier: object): Promise<TestApp> {
  app = await startTestApp({ file: { demo: { tokenDelayMs: 2_000 }, tiers: { default: tier } } });
  return app;
}

const headersOf = (response: Response) => [
  response.status,
  ...['x-ratelimit-limit', 'x-ratelimit-remaining', 'ratelimit', 'retry-after'].map((name) => response.headers.get(name)),
];

async function newThread({ post }: TestApp, headers: Readonly<Record<string, string>>): Promise<string> {
  return ((await (await post('/polylogue/v1/threads', {}, headers)).json()) as { id: string }).id;
}

async function ask(at: TestApp, headers: Readonly<Record<string, string>>, thread?: string): Promise<Response> {
  return at.post(`/polylogue/v1/threads/${thread ?? (await newThread(at, headers))}/runs`, { text: 'Hi' }, headers);
}

test('who asks is told how many more answers may be under way, and who is refused that it is none', async () => {
  const server = await serve({ user: { concurrentRuns: 2 } });
  const headers = { authorization: `Bearer ${await server.token('ann')}` };
  expect(headersOf(await ask(server, headers))).toEqual([202, '2', '1', '"concurrent-runs";r=1;t=5', null]);
  expect(headersOf(await ask(server, headers))).toEqual([202, '2', '0', '"concurrent-runs";r=0;t=5', null]);
  expect(headersOf(await ask(server, headers))).toEqual([429, '2', '0', '"concurrent-runs";r=0;t=5', '5']);
});

test('where the application has no more answers left, that is what is said', async () => {
  const server = await serve({ user: { concurrentRuns: 5 }, application: { concurrentRuns: 1 } });
  const [ann, bob] = [{ authorization: `Bearer ${await server.token('ann')}` }, { authorization: `Bearer ${await server.token('bob')}` }];
  expect(headersOf(await ask(server, ann))).toEqual([202, '1', '0', '"application-concurrent-runs";r=0;t=5', null]);
  expect(headersOf(await ask(server, bob))).toEqual([429, '1', '0', '"application-concurrent-runs";r=0;t=5', '5']);
  const metrics = await (await server.send('/metrics')).text();
  expect(metrics).toContain('polylogue_refused_total{code="run_limit",limit="application-concurrent-runs"} 1');
});

test('a thread in which no more messages may wait says that none may', async () => {
  const server = await serve({});
  const headers = { authorization: `Bearer ${await server.token('ann')}` };
  const thread = await newThread(server, headers);
  for (let message = 0; message < 21; message += 1) expect((await ask(server, headers, thread)).status).toBe(202);
  expect(headersOf(await ask(server, headers, thread))).toEqual([429, '20', '0', '"queued-runs";r=0;t=5', '5']);
});

test('the messages tell of themselves where they are used up before the answers', async () => {
  const server = await serve({ user: { messagesPerMinute: 2, concurrentRuns: 2 } });
  const headers = { authorization: `Bearer ${await server.token('ann')}` };
  await ask(server, headers);
  expect((await ask(server, headers)).headers.get('ratelimit')).toMatch(/^"messages-per-minute";r=0;t=(5\d|60)$/);
});

test("a graph client's key that names nobody counts for its application, and not as one user", async () => {
  const server = await serve({ user: { messagesPerMinute: 1, requestsPerMinute: 3, concurrentRuns: 1 } });
  const headers = { 'x-api-key': await server.key(), authorization: '' };
  for (let call = 0; call < 4; call += 1) {
    const response = await server.post('/api/v1/graph/stream', { message: 'Hi' }, headers);
    expect([call, response.status, response.headers.get('ratelimit')?.split(';')[0]]).toEqual([
      call,
      200,
      expect.stringMatching(/^"application-/),
    ]);
    await response.body?.cancel();
  }
  const named = await server.post('/api/v1/graph/stream', { message: 'Hi', user_id: 'ann' }, headers);
  expect([named.status, named.headers.get('ratelimit')]).toEqual([
    200,
    expect.stringMatching(/^"(messages-per-minute|concurrent-runs)";r=0/),
  ]);
  await named.body?.cancel();
  expect((await server.post('/api/v1/graph/stream', { message: 'Hi', user_id: 'ann' }, headers)).status).toBe(429);
});
