import { afterEach, expect, test, vi } from 'vitest';
import { startTestApp, type TestApp, type TestAppOptions } from './support/app.ts';
import { answer, refuse, type Step, startUpstream, type Upstream } from './support/upstream.ts';

const PREVIEWS = ['/v1/chat/prompts/preview', '/polylogue/v1/prompts/preview'] as const;
const unbounded = { requestsPerMinute: null, messagesPerMinute: null, messagesPerHour: null, concurrentRuns: null, connections: null };
const asked = { content: 'Greet {name}', variables: { name: 'Ann' } };
const hanging: Step[] = [...answer(['Hello']).slice(0, 2), { hang: true }];

const opened: { readonly app: TestApp; readonly upstream: Upstream }[] = [];
afterEach(async () => {
  for (const { app, upstream } of opened.splice(0)) {
    await app.close();
    await upstream.close();
  }
});

function isOne(script: readonly Step[] | readonly (readonly Step[])[]): script is readonly Step[] {
  return !Array.isArray(script[0]);
}

async function serve(script: readonly Step[] | readonly (readonly Step[])[], options: Pick<TestAppOptions, 'file'> = {}) {
  const upstream = await startUpstream(...(isOne(script) ? [script] : script));
  const file = {
    models: { best: { provider: 'openai', model: 'best-of-all' }, other: { provider: 'openai' } },
    defaultModel: 'best',
    ...options.file,
  };
  const app = await startTestApp({ env: { OPENAI_BASE_URL: upstream.baseUrl }, file });
  opened.push({ app, upstream });
  const headers = { authorization: `Bearer ${await app.token('ann')}` };
  const metric = async (name: string) => {
    return (await (await app.send('/metrics')).text()).split('\n').find((line) => line.startsWith(name));
  };
  return { app, upstream, headers, metric, preview: (path: string = PREVIEWS[0], body: object = asked) => app.post(path, body, headers) };
}

test.each(PREVIEWS)('%s asks the default model, and tells the tokens that the provider counted', async (path) => {
  const { upstream, preview, metric } = await serve(answer(['Hello', ', ', 'Ann\r', '\n\0!'], { usage: [100, 50] }));
  const answered = await preview(path);
  expect([answered.status, await answered.json()]).toEqual([200, { preview: 'Hello, Ann\n\ufffd!', tokens_used: 150, model_used: 'best' }]);
  expect(upstream.requests.map(({ body }) => body)).toMatchObject([
    { model: 'best-of-all', messages: [{ role: 'user', content: 'Greet Ann' }] },
  ]);
  expect(await metric('polylogue_tokens_total{model="best",direction="output"}')).toMatch(/ 50$/);
  expect(await metric('polylogue_runs_ended_total{model="best",status="completed"')).toMatch(/ 1$/);
});

test('the server counts the tokens where the provider does not', async () => {
  const { preview } = await serve(answer(['Hello Ann']));
  const { tokens_used } = (await (await preview()).json()) as { tokens_used: number };
  expect(tokens_used).toBeGreaterThanOrEqual(4);
  expect(tokens_used).toBeLessThan(10);
});

test.each(PREVIEWS)('%s says what the provider failed of, and counts no use', async (path) => {
  const { app, headers, preview } = await serve(refuse(400, 'no such thing: sk-secret-key-123456789'));
  const prompt = { title: 'T', content: 'C', scenario: 's' };
  const made = (await (await app.post(path.replace('/preview', ''), prompt, headers)).json()) as { id: number | string };
  const failed = await preview(path, { prompt_id: made.id });
  const body = await failed.text();
  expect([failed.status, body.includes('run_failed'), body.includes('sk-secret')]).toEqual([502, true, false]);
  const shown = await (await app.send(`${path.replace('preview', '')}${made.id}`, { headers })).json();
  expect(shown).toMatchObject({ usage_count: 0 });
});

test('nobody who has hung up lets the model go on', async () => {
  const { app, upstream, headers, metric } = await serve(hanging);
  const stop = new AbortController();
  const init = {
    method: 'POST',
    body: JSON.stringify(asked),
    headers: { ...headers, 'content-type': 'application/json' },
    signal: stop.signal,
  };
  const asking = app.send(PREVIEWS[0], init).catch(() => 'hung up');
  await vi.waitUntil(() => upstream.requests.length === 1, { timeout: 10_000 });
  stop.abort();
  expect(await asking).toBe('hung up');
  await upstream.requests[0]?.closedEarly;
  await vi.waitFor(async () => expect(await metric('polylogue_runs_ended_total{model="best",status="cancelled"')).toMatch(/ 1$/), {
    timeout: 10_000,
  });
  expect(await metric('polylogue_runs_running')).toMatch(/ 0$/);
  expect(app.log()).not.toMatch(/"level":50/);
});

test('a preview costs a message, through every door', async () => {
  const tiers = { default: { user: { ...unbounded, messagesPerMinute: 2 }, application: unbounded } };
  const { app, headers, preview, upstream } = await serve(answer(['Hi']), { file: { tiers } });
  const first = await preview(PREVIEWS[0]);
  expect([first.status, first.headers.get('x-ratelimit-remaining')]).toEqual([200, '1']);
  // What is not sent to the model costs nothing.
  expect((await preview(PREVIEWS[1], { content: ' ' })).status).toBe(422);
  expect((await preview(PREVIEWS[0], { prompt_id: 4_503_599_627_370_495 })).status).toBe(404);
  expect((await preview(PREVIEWS[1])).status).toBe(200);
  const refused = await preview(PREVIEWS[1]);
  expect([refused.status, ((await refused.json()) as { code: string }).code, Number(refused.headers.get('retry-after')) > 0]).toEqual([
    429,
    'rate_limited',
    true,
  ]);
  const chat = await app.post('/v1/chat/stream', { model: 'best', messages: [{ role: 'user', content: 'Hi' }] }, headers);
  expect(chat.status).toBe(429);
  expect(upstream.requests).toHaveLength(2);
});

test('previews and runs under way share one bound', async () => {
  const tiers = { default: { user: { ...unbounded, concurrentRuns: 2 }, application: unbounded } };
  const { app, headers, preview, upstream } = await serve([hanging, hanging, answer(['Hi'])], { file: { tiers } });
  const chat = await app.post('/v1/chat/stream', { model: 'best', messages: [{ role: 'user', content: 'Hi' }] }, headers);
  const stop = new AbortController();
  const init = {
    method: 'POST',
    body: JSON.stringify(asked),
    headers: { ...headers, 'content-type': 'application/json' },
    signal: stop.signal,
  };
  const statuses: number[] = [];
  const under = Array.from({ length: 5 }, () => app.send(PREVIEWS[0], init).then(({ status }) => statuses.push(status)));
  await vi.waitUntil(() => statuses.length === 4 && upstream.requests.length === 2, { timeout: 20_000 });
  expect(statuses).toEqual([429, 429, 429, 429]);
  stop.abort();
  await Promise.allSettled(under);
  await vi.waitUntil(async () => (await preview()).status === 200, { timeout: 20_000, interval: 100 });
  await chat.body?.cancel();
});

test('a server that stops ends a preview that does not', async () => {
  const { app, preview, upstream } = await serve(hanging);
  const asking = preview();
  await vi.waitUntil(() => upstream.requests.length === 1, { timeout: 10_000 });
  await app.close();
  const answered = await asking;
  expect([answered.status, ((await answered.json()) as { code: string }).code]).toEqual([503, 'draining']);
  opened.splice(0);
  await upstream.close();
});

test('a key that is revoked meanwhile gets no preview', async () => {
  const { app, upstream } = await serve(hanging);
  const { key, secret } = await app.access.createKey({ applicationId: 'default' as never, name: 'K', scopes: ['read', 'write'] });
  const asking = app.post(PREVIEWS[0], asked, { authorization: `Bearer ${secret}` });
  await vi.waitUntil(() => upstream.requests.length === 1, { timeout: 10_000 });
  await app.access.revokeKey(null, key.id);
  expect((await asking).status).toBe(401);
  await upstream.requests[0]?.closedEarly;
});
