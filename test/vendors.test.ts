import { LLMock } from '@copilotkit/aimock';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestApp, type TestApp, type TestAppOptions } from './support/app.ts';
import { eventsOf, nativeTextOf } from './support/chat-clients.ts';
import { startUpstream } from './support/upstream.ts';
import { STREAM_HEAD, VENDORS } from './support/vendor-answers.ts';

const KEY = 'sk-ant-canary-of-a-provider-key';
const WORDS = 'Grüße von 👩‍👩‍👧!\n\nEnde. ';

let server: LLMock;
let app: TestApp | null;
beforeEach(async () => {
  app = null;
  server = new LLMock({ port: 0, host: '127.0.0.1', chunkSize: 3 });
  await server.start();
});
afterEach(async () => {
  await app?.close();
  await server.stop();
});

async function start(kind: 'anthropic' | 'google', file: TestAppOptions['file'] = {}): Promise<TestApp> {
  const baseUrl = `${server.url}${kind === 'anthropic' ? '/v1' : '/v1beta'}`;
  const providers = { vendor: { kind, baseUrl, apiKeyEnv: 'VENDOR_KEY' } };
  app = await startTestApp({ env: { VENDOR_KEY: KEY }, file: { providers, ...file } });
  return app;
}

/** Asks at the native door; the whole stream of the run. */
async function ask({ post, send }: TestApp, body: object): Promise<string> {
  const thread = (await (await post('/polylogue/v1/threads', {})).json()) as { id: string };
  const run = await post(`/polylogue/v1/threads/${thread.id}/runs`, body);
  expect(run.status).toBe(202);
  return (await send(`/polylogue/v1/runs/${run.headers.get('x-run-id')}/events`)).text();
}

test.each([
  ['anthropic', '/v1/messages'],
  ['google', '/v1beta/models/gemini-'],
] as const)('a customary name is answered by a model of %s, token by token, and the start said so', async (kind, path) => {
  server.onMessage('hello', { content: WORDS });
  const { log } = await start(kind);
  const stream = await ask(app as TestApp, { text: 'hello', model: 'gpt-4' });
  expect(nativeTextOf(stream)).toBe(WORDS);
  expect(eventsOf(stream).at(-1)?.data).toContain('"run.completed"');
  expect(server.getLastRequest()?.path).toContain(path);
  expect(log()).toMatch(/"names":\["gpt-4".*its own model answers to them/);
  expect(log()).not.toContain(KEY);
});

test('what the provider says against a request reaches the caller, but nothing of what it says against our key', async () => {
  const running = await start('anthropic', { models: { fast: { provider: 'vendor', model: 'claude-haiku-4-5' } }, defaultModel: 'fast' });
  server.nextRequestError(401, { message: `invalid x-api-key ${KEY}`, type: 'authentication_error' });
  server.onMessage('hello', { content: 'fine' });
  const unauthorized = await ask(running, { text: 'hello' });
  expect(unauthorized).toContain('upstream_unauthorized');
  expect(unauthorized).toContain("The model provider refused this server's credentials.");
  expect(unauthorized).not.toContain('invalid x-api-key');
  server.nextRequestError(400, { message: `no such thing for ${KEY}`, type: 'invalid_request_error' });
  const rejected = await ask(running, { text: 'hello' });
  expect(rejected).toContain('no such thing for [redacted]');
  expect(unauthorized + rejected + running.log()).not.toContain(KEY);
});

test.each(VENDORS)('a cancelled run closes the connection to $name', async (vendor) => {
  const upstream = await startUpstream([STREAM_HEAD, { raw: vendor.opening + vendor.text('one') }, { hang: true }]);
  try {
    const models = { fast: { provider: 'vendor', model: vendor.model } };
    const running = await start(vendor.name, {
      models,
      defaultModel: 'fast',
      providers: { vendor: { kind: vendor.name, baseUrl: upstream.baseUrl } },
    });
    const thread = (await (await running.post('/polylogue/v1/threads', {})).json()) as { id: string };
    const run = await running.post(`/polylogue/v1/threads/${thread.id}/runs`, { text: 'hello' });
    const id = run.headers.get('x-run-id');
    const events = running.send(`/polylogue/v1/runs/${id}/events`).then((response) => response.text());
    await expect.poll(() => upstream.requests.length, { timeout: 5000 }).toBe(1);
    expect((await running.post(`/polylogue/v1/runs/${id}/cancel`, {})).status).toBe(200);
    expect(eventsOf(await events).at(-1)?.data).toContain('"run.cancelled"');
    await upstream.requests[0]?.closedEarly;
  } finally {
    await upstream.close();
  }
});
