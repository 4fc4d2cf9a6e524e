import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openSqliteStore } from '../src/backends/stores/sqlite/index.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import { countCalls } from './support/count-calls.ts';
import { answer, startUpstream, type Upstream } from './support/upstream.ts';

// What this process has just stored, it does not read again to answer with it.

let dataDir: string;
let upstream: Upstream;
let app: TestApp;
let calls: () => Record<string, number>;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'polylogue-memory-'));
  upstream = await startUpstream(answer(['Hello', ' world'], { usage: [7, 2] }));
  const counted = countCalls(await openSqliteStore({ dataDir }));
  calls = counted.calls;
  const env = { OPENAI_BASE_URL: upstream.baseUrl };
  const file = { models: { 'gpt-4': { provider: 'openai' } } };
  app = await startTestApp({ env, file, store: counted.store, dataDir });
});
beforeEach(() => void calls());
afterAll(async () => {
  await app.close();
  await upstream.close();
  await rm(dataDir, { recursive: true });
});

const READS = ['contextOf', 'findMessage', 'findRun'];
const readsOf = () => Object.keys(calls()).filter((name) => READS.includes(name));
const lastAsked = () => upstream.requests.at(-1)?.body as { messages: { role: string; content: string }[] };
const said = (role: string, content: string) => ({ role, content });

async function ask(messages: readonly object[], session_id?: number) {
  const body = { model: 'gpt-4', stream: false, messages, ...(session_id !== undefined && { session_id }) };
  const response = await app.post('/v1/chat/stream', body);
  expect(response.status).toBe(200);
  return (await response.json()) as { session_id: number; choices: readonly { message: object }[]; usage: object };
}

test('a question in a new session is asked and answered without reading', async () => {
  const conversation = [said('system', 'Be short.'), said('user', 'One?'), said('assistant', 'One.'), said('user', 'Two?')];
  const { choices, usage } = await ask(conversation);
  expect(lastAsked().messages).toEqual(conversation);
  expect(choices[0]?.message).toEqual(said('assistant', 'Hello world'));
  expect(usage).toEqual({ prompt_tokens: 7, completion_tokens: 2, total_tokens: 9 });
  expect(readsOf()).toEqual([]);
});

test('what was said in a session before is read', async () => {
  const { session_id } = await ask([said('user', 'One?')]);
  calls();
  const all = [said('user', 'One?'), said('assistant', 'Hello world'), said('user', 'Two?')];
  await ask(all, session_id);
  expect(lastAsked().messages).toEqual(all);
  expect(readsOf()).toEqual(['contextOf']);
});

test('the answer is told exactly as it is stored', async () => {
  const { id: thread } = (await (await app.post('/polylogue/v1/threads', {})).json()) as { id: string };
  const path = `/polylogue/v1/threads/${thread}`;
  const asked = await app.post(`${path}/runs`, { text: 'Hi' }, { prefer: 'respond-sync' });
  const { answer: message, ...run } = (await asked.json()) as { id: string; answer: object };
  expect(readsOf()).toEqual(['contextOf']);
  expect(run).toEqual(await (await app.send(`/polylogue/v1/runs/${run.id}`)).json());
  const { data } = (await (await app.send(`${path}/messages`)).json()) as { data: object[] };
  expect(data).toContainEqual(message);
});
