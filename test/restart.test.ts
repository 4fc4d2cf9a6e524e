import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../src/backends/clock/system-clock.ts';
import { eventsOf, nativeTextOf, rawTextOf } from './support/chat-clients.ts';
import { createServerDirectory, type ServerProcess, startServerProcess } from './support/server-process.ts';

let directory: string;
let remove: () => Promise<void>;
let server: ServerProcess;

beforeEach(async () => {
  ({ directory, remove } = await createServerDirectory({ demo: { tokenDelayMs: 10 }, limits: { drainSeconds: 1 } }));
  await restart();
});
afterEach(async () => {
  await server.stop();
  await remove();
});

async function restart(): Promise<void> {
  server = await startServerProcess({ directory });
}

const read = async (response: Promise<Response>) => (await response).text();
const json = async (response: Promise<Response>) => JSON.parse(await read(response));
const startThread = async (): Promise<string> => (await json(server.post('/polylogue/v1/threads', {}))).id;
const ask = (thread: string, text: string, headers: Record<string, string> = {}) =>
  json(server.post(`/polylogue/v1/threads/${thread}/runs`, { text }, headers));
const eventsAfter = (run: string, after: number) => read(server.send(`/polylogue/v1/runs/${run}/events?after=${after}`));
const runOf = (run: string) => json(server.send(`/polylogue/v1/runs/${run}`));
const messagesOf = async (thread: string) => (await json(server.send(`/polylogue/v1/threads/${thread}/messages`))).data;

/** Reads a stream until it has so many events, then lets go of it. */
async function readSome(path: string, count: number, init: RequestInit = {}): Promise<{ response: Response; text: string }> {
  const left = new AbortController();
  const response = await server.send(path, { ...init, signal: left.signal });
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.split('\n\n').length > count) break;
  }
  left.abort();
  return { response, text: text.slice(0, text.lastIndexOf('\n\n') + 2) };
}

test('a stopped server has everything when it starts again', async () => {
  const thread = await startThread();
  const repeated = { 'idempotency-key': 'once' };
  const run = await ask(thread, 'What is kept?', repeated);
  const log = await eventsAfter(run.id, 0);
  const messages = await messagesOf(thread);
  expect(await server.stop()).toBe(0);
  await restart();
  expect(await messagesOf(thread)).toEqual(messages);
  expect(await eventsAfter(run.id, 0)).toBe(log);
  const frames = log.split('\n\n').slice(0, -1);
  for (const cut of [1, 3, frames.length - 1]) expect(await eventsAfter(run.id, cut)).toBe(`${frames.slice(cut).join('\n\n')}\n\n`);
  const replay = await server.post(`/polylogue/v1/threads/${thread}/runs`, { text: 'What is kept?' }, repeated);
  expect([replay.status, replay.headers.get('idempotent-replayed')]).toEqual([202, 'true']);
  expect(JSON.parse(await replay.text())).toEqual(run);
  const other = await server.post(`/polylogue/v1/threads/${thread}/runs`, { text: 'Something else' }, repeated);
  expect(other.status).toBe(422);
  expect(await messagesOf(thread)).toEqual(messages);
  expect(nativeTextOf(await eventsAfter((await ask(thread, 'And now?')).id, 0))).toContain('message 2 of our conversation');
});

test('a killed server shows what it was writing as failed, with the text that readers had, through every door', async () => {
  const repeated = { 'idempotency-key': 'killed', 'content-type': 'application/json' };
  const body = JSON.stringify({ model: 'gpt-4', messages: [{ role: 'user', content: '/long 2000' }] });
  const post = { method: 'POST', headers: repeated, body };
  const { response } = await readSome('/v1/chat/stream', 3, post);
  const [run = '', thread = ''] = ['x-run-id', 'x-thread-id'].map((name) => response.headers.get(name) ?? '');
  const seen = (await readSome(`/polylogue/v1/runs/${run}/events`, 12)).text;
  const queued = await ask(thread, 'Who is next?');
  expect(queued.status).toBe('queued');
  expect(await server.stop('SIGKILL')).toBeNull();
  await restart();

  const log = await eventsAfter(run, 0);
  expect(log.startsWith(seen)).toBe(true);
  const facts = eventsOf(log).map(({ data }) => JSON.parse(data));
  expect(facts.at(-1)).toMatchObject({ type: 'run.failed', code: 'interrupted', retryable: true });
  const text = facts.map((fact) => (fact.type === 'text.appended' ? fact.text : '')).join('');
  expect(await runOf(run)).toMatchObject({ status: 'failed', error: { code: 'interrupted' } });

  const answer = (await messagesOf(thread)).find(
    ({ run_id, role }: { run_id: string; role: string }) => run_id === run && role === 'assistant',
  );
  expect(answer.status).toBe('failed');
  expect(answer.parts.map((part: { text?: string }) => part.text ?? '').join('')).toBe(text);

  const levia = eventsOf(await read(server.send(`/levia/chat/stream/${run}`))).map(({ data }) => JSON.parse(data));
  const streamed = levia.filter(({ type }) => type === 'stream').map(({ data }) => data.content);
  expect([streamed.join(''), levia.at(-1).type]).toEqual([text, 'error']);

  const again = await server.send('/v1/chat/stream', post);
  expect([again.headers.get('x-run-id'), again.headers.get('idempotent-replayed')]).toEqual([run, 'true']);
  const raw = eventsOf(await again.text());
  expect(
    raw
      .slice(0, -1)
      .map(({ data }) => data)
      .join(''),
  ).toBe(text);
  expect(raw.at(-1)).toMatchObject({ event: 'error', data: expect.stringContaining('"detail"') });

  expect(nativeTextOf(await eventsAfter(queued.id, 0))).toContain('> Who is next?');
});

test('an answer that the drain cuts off ends its stream, and what waited behind it is answered after the restart', async () => {
  const thread = await startThread();
  const run = await ask(thread, '/long 2000');
  const queued = await ask(thread, 'Who is next?');
  const stream = server.send(`/polylogue/v1/runs/${run.id}/events`);
  await readSome(`/polylogue/v1/runs/${run.id}/events`, 5);
  const [frames, code] = await Promise.all([read(stream), server.stop()]);
  expect(code).toBe(0);
  expect(JSON.parse(eventsOf(frames).at(-1)?.data ?? '{}')).toMatchObject({ type: 'run.failed', code: 'interrupted' });
  await restart();
  expect(await eventsAfter(run.id, 0)).toBe(frames);
  expect(nativeTextOf(await eventsAfter(queued.id, 0))).toContain('> Who is next?');
});

test('an answer that ends within the drain time is complete for its reader', async () => {
  const body = { model: 'gpt-4', messages: [{ role: 'user', content: 'Tell me a story' }] };
  const response = await server.post('/v1/chat/stream', body);
  const [text, code] = await Promise.all([response.text(), systemClock.sleep(50).then(() => server.stop())]);
  expect(code).toBe(0);
  expect(rawTextOf(text)).toContain('> Tell me a story');
});
