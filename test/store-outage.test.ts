import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSqliteStore } from '../src/backends/stores/sqlite/index.ts';
import { storeUnavailable } from '../src/core/errors.ts';
import type { Store } from '../src/core/ports/store.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import { openChatSocket } from './support/chat-socket.ts';
import { answer, type Step, startUpstream, type Upstream } from './support/upstream.ts';

// A store that cannot be reached for longer than a lease, and that other servers could share: nothing that runs here may be lost by it.

/** A lease is 10 s. */
const OUTAGE_MS = 11_500;

let directory: string;
let app: TestApp;
let upstream: Upstream;
let isOut = false;
let failingReads = 0;
const script: Step[] = [];

/** The store, as if it were one that several servers share. */
function withOutages(store: Store): Store {
  const operations = Object.entries(store).map(([name, value]) => {
    if (typeof value !== 'function' || name === 'close') return [name, value];
    const call = (...input: never[]) => {
      const fails = isOut || (name === 'contextOf' && failingReads-- > 0);
      return fails ? Promise.reject(storeUnavailable(new Error('out'))) : (value as (...given: never[]) => unknown)(...input);
    };
    return [name, call];
  });
  return { ...(Object.fromEntries(operations) as Store), capabilities: { shared: true } };
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'polylogue-outage-'));
  upstream = await startUpstream(script);
  app = await startTestApp({
    env: { OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: 'k' },
    file: { models: { 'gpt-4': { provider: 'openai' } } },
    dataDir: directory,
    store: withOutages(await openSqliteStore({ dataDir: directory })),
  });
});

afterAll(async () => {
  isOut = false;
  await app.close();
  await upstream.close();
  await rm(directory, { recursive: true, force: true });
});

async function ask(text: string): Promise<{ id: string }> {
  const { id } = (await (await app.post('/polylogue/v1/threads', {})).json()) as { id: string };
  return (await (await app.post(`/polylogue/v1/threads/${id}/runs`, { text })).json()) as { id: string };
}

test('what is being answered goes on, and who waits for a thread is told when it comes to be', async () => {
  script.splice(0, script.length, ...answer(['Before', ' and after']).toSpliced(2, 0, { waitMs: OUTAGE_MS + 3_000 }));
  const run = await ask('Go on');
  const reading = app.send(`/polylogue/v1/runs/${run.id}/events`).then((response) => response.text());
  const token = await app.token('ann');
  const [watching, sending] = [await openChatSocket(app.url, `?token=${token}`), await openChatSocket(app.url, `?token=${token}`)];
  const thread_id = randomUUID();
  watching.send({ type: 'history', thread_id });
  await watching.next('history_end');
  await sleep(500);
  isOut = true;
  expect((await app.post('/polylogue/v1/threads', {})).status).toBe(503);
  await sleep(OUTAGE_MS);
  isOut = false;
  const events = await reading;
  expect(events).toMatch(/event: run\.completed\n/);
  expect(events).toContain('"text":" and after"');
  expect(events).not.toContain('run.failed');
  script.splice(0, script.length, ...answer(['Here']));
  sending.send({ type: 'message', thread_id, content: 'Is anybody there?' });
  expect(await watching.next('message')).toMatchObject({ role: 'user', content: 'Is anybody there?' });
  expect(await watching.next('message')).toMatchObject({ role: 'assistant', content: 'Here' });
  await Promise.all([watching.close(), sending.close()]);
}, 60_000);

test('an answer whose context cannot be read just now is given a moment later', async () => {
  script.splice(0, script.length, ...answer(['Late']));
  failingReads = 3;
  const run = await ask('Can you read this?');
  const events = await (await app.send(`/polylogue/v1/runs/${run.id}/events`)).text();
  expect(events).toMatch(/event: run\.completed\n/);
  expect(failingReads).toBeLessThan(0);
});
