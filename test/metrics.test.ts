import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ApplicationId } from '../src/core/ids.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import { openChatSocket } from './support/chat-socket.ts';
import { answer, refuse, type Step, startUpstream, type Upstream } from './support/upstream.ts';

const SECRET_TEXT = 'My cAnArY is 4711';
const SECRET_ANSWER = 'Its nAmE is Tweety';
const USER = 'cAnArY-user';
const THREADS = '/polylogue/v1/threads';

let upstream: Upstream;
let app: TestApp;
let key: string;

beforeEach(async () => {
  const [head, ...rest] = answer(SECRET_ANSWER.split(''), { usage: [11, 5] });
  const good: Step[] = [...(head ? [head] : []), { waitMs: 300 }, ...rest];
  upstream = await startUpstream(good, good, refuse(400, 'No.'));
  app = await startTestApp({
    env: { OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: 'cAnArY-provider-key' },
    file: { models: { fast: { provider: 'openai' } }, defaultModel: 'fast', tiers: { default: { user: { messagesPerHour: 3 } } } },
  });
  key = await app.key();
});
afterEach(async () => {
  await app.close();
  await upstream.close();
});

async function scrape(): Promise<string> {
  const response = await app.send('/metrics', { headers: { authorization: '' } });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  return response.text();
}

/** The value of one line of the Prometheus text format; 0 when it is not there. */
function figureIn(text: string, series: string): number {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return Number(line?.slice(series.length + 1) ?? 0);
}

/** Waits until a line has this value, because answers are counted when they have gone out. */
async function expectValue(series: string, value: number): Promise<void> {
  await vi.waitFor(async () => expect([series, figureIn(await scrape(), series)]).toEqual([series, value]), { timeout: 5_000 });
}

function send(path: string, body: object): Promise<Response> {
  return app.post(path, body, { authorization: `Bearer ${key}`, 'x-user-id': USER });
}

const ask = (thread: string) => send(`${THREADS}/${thread}/runs`, { text: SECRET_TEXT });

/** Reads an answer to its end. */
async function hear(asked: Response): Promise<string> {
  const headers = { authorization: `Bearer ${key}`, 'x-user-id': USER };
  return (await app.send(`/polylogue/v1/runs/${asked.headers.get('x-run-id')}/events`, { headers })).text();
}

async function newThread(): Promise<string> {
  return ((await (await send(THREADS, {})).json()) as { id: string }).id;
}

test('the figures are those of what happened, and hold nothing that anybody said or showed', async () => {
  const thread = await newThread();
  for (let run = 0; run < 3; run += 1) expect(await hear(await ask(thread))).toContain(run < 2 ? 'run.completed' : 'run.failed');
  expect((await ask(thread)).status).toBe(429);
  expect((await send(`/${SECRET_TEXT.replaceAll(' ', '-')}`, {})).status).toBe(404);
  await expectValue('polylogue_runs_ended_total{model="fast",status="completed",code=""}', 2);
  await expectValue('polylogue_runs_ended_total{model="fast",status="failed",code="upstream_rejected"}', 1);
  await expectValue('polylogue_runs_running', 0);
  await expectValue('polylogue_tokens_total{model="fast",direction="input"}', 22);
  await expectValue('polylogue_tokens_total{model="fast",direction="output"}', 10);
  await expectValue('polylogue_first_token_seconds_count{model="fast"}', 2);
  await expectValue('polylogue_refused_total{code="rate_limited",limit="messages-per-hour"}', 1);
  const begin = 'dialect="native",route="/polylogue/v1/threads/:thread_id/runs",method="POST"';
  await expectValue(`polylogue_http_requests_total{${begin},status="202"}`, 3);
  await expectValue(`polylogue_http_requests_total{${begin},status="429"}`, 1);
  await expectValue(`polylogue_http_request_duration_seconds_count{${begin}}`, 4);
  const stream = 'dialect="native",route="/polylogue/v1/runs/:run_id/events",method="GET"';
  await expectValue(`polylogue_http_requests_total{${stream},status="200"}`, 3);
  await expectValue(`polylogue_http_request_duration_seconds_count{${stream}}`, 0);
  await expectValue('polylogue_http_requests_total{dialect="none",route="none",method="POST",status="404"}', 1);
  const text = await scrape();
  expect(figureIn(text, 'polylogue_flush_duration_seconds_count')).toBeGreaterThan(2);
  expect(figureIn(text, 'polylogue_delivery_gap_seconds_count')).toBeGreaterThan(1);
  expect(figureIn(text, 'nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0);
  expect(figureIn(text, 'process_resident_memory_bytes')).toBeGreaterThan(1_000_000);
  for (const secret of ['cAnArY', 'nAmE', key, key.slice(4, 20), thread, 'dev-api-key']) expect(text).not.toContain(secret);
});

test('open streams and sockets are counted while they are open', async () => {
  const socket = await openChatSocket(app.url, `?key=${key}`);
  await expectValue('polylogue_open_connections{kind="web_socket"}', 1);
  const leaving = new AbortController();
  const thread = await newThread();
  const { status } = await app.send(`${THREADS}/${thread}/events`, {
    headers: { authorization: `Bearer ${key}`, 'x-user-id': USER },
    signal: leaving.signal,
  });
  expect(status).toBe(200);
  await expectValue('polylogue_open_connections{kind="event_stream"}', 1);
  leaving.abort();
  await expectValue('polylogue_open_connections{kind="event_stream"}', 0);
  await socket.close();
  await expectValue('polylogue_open_connections{kind="web_socket"}', 0);
});

test('a run that waits behind another one is counted as queued', async () => {
  const thread = await newThread();
  const asked = [await ask(thread), await ask(thread)];
  const text = await scrape();
  const stored = ['running', 'queued', 'waiting'].map((state) => figureIn(text, `polylogue_stored_runs{state="${state}"}`));
  expect(stored).toEqual([1, 1, 0]);
  for (const one of asked) await hear(one);
  await expectValue('polylogue_runs_queued_total', 1);
  await expectValue('polylogue_run_queue_seconds_count', 2);
});

test('sockets and their frames are counted by what came of them, whatever clients send', async () => {
  await (await openChatSocket(app.url, '?key=plg_cAnArY')).closed;
  await expect(openChatSocket(app.url, `?key=${key}`, { origin: 'https://cAnArY.example' })).rejects.toThrow('403');
  const nowhere = `${app.url}/cAnArY`;
  await expect(openChatSocket(nowhere, '')).rejects.toThrow('404');
  const socket = await openChatSocket(app.url, `?key=${key}`);
  socket.send({ type: 'ping' });
  socket.send({ type: 'cAnArY' });
  socket.socket.send('no JSON');
  socket.send({ type: 'history', thread_id: '01900000-0000-7000-8000-000000000001' });
  socket.send({ type: 'cancel', job_id: '01900000-0000-7000-8000-00000000dead' });
  await expectValue('polylogue_web_socket_frames_total{dialect="chat-ws",type="cancel",outcome="run_not_found"}', 1);
  await expectValue('polylogue_web_socket_frames_total{dialect="chat-ws",type="history",outcome="ok"}', 1);
  await expectValue('polylogue_web_socket_frames_total{dialect="chat-ws",type="ping",outcome="ok"}', 1);
  await expectValue('polylogue_web_socket_frames_total{dialect="chat-ws",type="invalid",outcome="validation_failed"}', 1);
  await expectValue('polylogue_web_socket_frames_total{dialect="chat-ws",type="invalid",outcome="body_invalid"}', 1);
  await expectValue('polylogue_web_sockets_total{dialect="chat-ws",outcome="ok"}', 1);
  await expectValue('polylogue_web_sockets_total{dialect="chat-ws",outcome="auth_invalid"}', 1);
  await expectValue('polylogue_web_sockets_total{dialect="chat-ws",outcome="scope_denied"}', 1);
  await expectValue('polylogue_web_sockets_total{dialect="none",outcome="route_not_found"}', 1);
  expect(await scrape()).not.toContain('cAnArY');
  await socket.close();
});

test('names that callers make up are counted as one', async () => {
  const demo = await startTestApp();
  try {
    for (const model of ['gpt-4', 'made-up-1', 'made-up-2']) {
      const begun = await demo.post('/v1/chat/stream', { model, messages: [{ role: 'user', content: 'Hello?' }] });
      await begun.text();
    }
    await demo.send(`/made-up-3`);
    await vi.waitFor(async () => {
      const text = await (await demo.send('/metrics')).text();
      expect(figureIn(text, 'polylogue_runs_ended_total{model="other",status="completed",code=""}')).toBe(2);
      expect(figureIn(text, 'polylogue_runs_ended_total{model="gpt-4",status="completed",code=""}')).toBe(1);
      expect(text).not.toContain('made-up');
    });
  } finally {
    await demo.close();
  }
});

test('where others can ask, only an API key of the default application that may read and administer everything gets the figures', async () => {
  const closed = await startTestApp({ file: { metrics: { public: false } } });
  const statusFor = async (credential: string) =>
    (await closed.send('/metrics', { headers: { authorization: credential === '' ? '' : `Bearer ${credential}` } })).status;
  try {
    expect(await statusFor('')).toBe(401);
    expect(await statusFor('plg_nothing')).toBe(401);
    expect(await statusFor(await closed.key())).toBe(403);
    expect(await statusFor(await closed.token('ann'))).toBe(403);
    expect(await statusFor(await closed.key({ scopes: ['admin'], dialects: ['native'] }))).toBe(403);
    expect(await statusFor(await closed.key({ scopes: ['admin'] }))).toBe(403);
    expect(await statusFor(await closed.key({ scopes: ['admin', 'write', 'act_as'] }))).toBe(403);
    await closed.foreignKey();
    const tenant = { applicationId: 'other' as ApplicationId, scopes: ['admin', 'read', 'write', 'act_as'] } as const;
    expect(await statusFor(await closed.key(tenant))).toBe(403);
    expect(await statusFor(await closed.key({ scopes: ['admin', 'read'] }))).toBe(200);
  } finally {
    await closed.close();
  }
});
