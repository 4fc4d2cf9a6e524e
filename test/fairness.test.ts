import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSqliteStore } from '../src/backends/stores/sqlite/index.ts';
import type { BeginResult, BeginRun, Store } from '../src/core/ports/store.ts';
import { startTestApp, type TestApp } from './support/app.ts';

const THREADS = '/polylogue/v1/threads';
const unbounded = { requestsPerMinute: null, messagesPerMinute: null, messagesPerHour: null, concurrentRuns: null, connections: null };
const tier = {
  user: { ...unbounded, messagesPerMinute: 30, concurrentRuns: 1 },
  application: { ...unbounded, messagesPerMinute: 30 },
};

let app: TestApp;
let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'polylogue-fairness-'));
  const store = await openSqliteStore({ dataDir });
  // So slow that the first answer lasts as long as the test, and that what a refused message has taken would be missed.
  const file = { demo: { tokenDelayMs: 500 }, tiers: { default: tier }, limits: { drainSeconds: 1 } };
  app = await startTestApp({ dataDir, store: { ...store, beginRun: (input) => refuseSlowly(store, input) }, file });
});

afterAll(async () => {
  await app.close();
  await rm(dataDir, { recursive: true });
});

async function refuseSlowly(store: Store, input: BeginRun): Promise<BeginResult> {
  const result = await store.beginRun(input);
  if (result.kind === 'refused') await new Promise((resolve) => setTimeout(resolve, 500));
  return result;
}

interface Sender {
  ask(): Promise<Response>;
}

async function sender(user: string): Promise<Sender> {
  const authorization = `Bearer ${await app.token(user)}`;
  const { id } = (await (await app.post(THREADS, {}, { authorization })).json()) as { id: string };
  return { ask: () => app.post(`${THREADS}/${id}/runs`, { text: 'Tell me everything about the sea' }, { authorization }) };
}

test('who may begin no further run leaves the messages of all others alone, however often they ask', async () => {
  const ann = await sender('ann');
  const others = await Promise.all(['bob', 'cleo', 'dan', 'eve'].map(sender));
  expect((await ann.ask()).status).toBe(202);
  expect((await ann.ask()).status).toBe(429);
  const flood = Array.from({ length: 60 }, () => ann.ask());
  await new Promise((resolve) => setTimeout(resolve, 200));
  const answers = await Promise.all(others.map(({ ask }) => ask()));
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202]);
  for (const refused of await Promise.all(flood)) {
    expect([refused.status, await refused.json()]).toEqual([429, expect.objectContaining({ code: 'run_limit' })]);
  }
});

test('who finds nothing left because of messages that are about to be refused is told to ask again in a second', async () => {
  const fay = await sender('fay');
  const gus = await sender('gus');
  expect((await fay.ask()).status).toBe(202);
  const flood = Array.from({ length: 60 }, () => fay.ask());
  await new Promise((resolve) => setTimeout(resolve, 200));
  const early = await gus.ask();
  expect([early.status, early.headers.get('retry-after'), early.headers.get('x-ratelimit-reset')]).toEqual([429, '1', '1']);
  await Promise.all(flood);
  expect((await gus.ask()).status).toBe(202);
});
