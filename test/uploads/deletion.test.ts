import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSqliteStore } from '../../src/backends/stores/sqlite/index.ts';
import { storeUnavailable } from '../../src/core/errors.ts';
import type { Store } from '../../src/core/ports/store.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { filesBelow, filesHolding } from '../support/data-search.ts';
import { file, formOf } from '../support/forms.ts';

let dataDir: string;
let app: TestApp;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'polylogue-deletion-'));
});
afterEach(async () => {
  await app.close();
  await rm(dataDir, { recursive: true, force: true });
});

const mark = () => `cAnArY${randomBytes(8).toString('hex')}`;

async function start(fail: Partial<Store> = {}): Promise<void> {
  app = await startTestApp({ dataDir, store: { ...(await openSqliteStore({ dataDir })), ...fail } });
}

async function newThread(): Promise<string> {
  return ((await (await app.post('/polylogue/v1/threads', {})).json()) as { id: string }).id;
}

const add = (thread: string, text: string) =>
  app.send(`/polylogue/v1/threads/${thread}/files`, { method: 'POST', body: formOf(file(`Read this: ${text}`, `${text}.txt`)) });

/** Where a text is once the server has stopped. */
async function leftAfterStop(text: string): Promise<readonly string[]> {
  await app.close();
  return filesHolding(dataDir, text);
}

/** What the server would do next if it were still there. */
const gone = () => Promise.reject(storeUnavailable(new Error('The server is gone.')));

test('of a deleted thread nothing of its files is left, name, text or bytes', async () => {
  await start();
  const word = mark();
  const thread = await newThread();
  expect((await add(thread, word)).status).toBe(201);
  await app.post(`/polylogue/v1/threads/${thread}/runs`, { text: 'What is it?', model: 'demo' }, { prefer: 'respond-sync' });
  expect((await filesHolding(join(dataDir, 'files'), word)).length).toBe(1);
  expect((await app.send(`/polylogue/v1/threads/${thread}`, { method: 'DELETE' })).status).toBe(204);
  expect(await filesBelow(join(dataDir, 'files'))).toEqual([]);
  expect(await filesHolding(dataDir, word)).toEqual([]);
  expect(await leftAfterStop(word)).toEqual([]);
});

test('of a deleted file neither text nor bytes are left', async () => {
  await start();
  const word = mark();
  const { id } = (await (await add(await newThread(), word)).json()) as { id: string };
  expect((await app.send(`/polylogue/v1/files/${id}`, { method: 'DELETE' })).status).toBe(204);
  expect(await leftAfterStop(word)).toEqual([]);
});

test.each<[string, Partial<Store>]>([
  ['before its rows are removed', { purgeThread: (key) => (key === null ? Promise.resolve() : gone()) }],
  ['before its bytes are removed', { strayContents: gone }],
  ['before the removal of its bytes is noted', { forgetContents: gone }],
])('a deletion that a crash interrupts %s is finished at the next start', async (_when, fail) => {
  await start(fail);
  const word = mark();
  const thread = await newThread();
  expect((await add(thread, word)).status).toBe(201);
  await app.send(`/polylogue/v1/threads/${thread}`, { method: 'DELETE' });
  await app.close();
  await start();
  expect((await app.send(`/polylogue/v1/threads/${thread}`)).status).toBe(404);
  expect(await filesBelow(join(dataDir, 'files'))).toEqual([]);
  expect(await leftAfterStop(word)).toEqual([]);
});

test.each<[string, Partial<Store>]>([
  ['before its bytes are kept', { addPassages: gone, forgetContents: gone }],
  ['before it is in its thread', { addAttachment: gone, forgetContents: gone, strayContents: gone }],
])('an upload that a crash interrupts %s leaves nothing after the next start', async (_when, fail) => {
  await start(fail);
  const word = mark();
  const thread = await newThread();
  expect((await add(thread, word)).status).toBe(503);
  await mkdir(join(dataDir, 'files', 'incoming'), { recursive: true });
  await writeFile(join(dataDir, 'files', 'incoming', 'half'), word);
  await app.close();
  expect((await filesHolding(dataDir, word)).length).toBeGreaterThan(0);
  await start();
  expect(await filesBelow(join(dataDir, 'files'))).toEqual([]);
  expect(await leftAfterStop(word)).toEqual([]);
});

test('what is there survives a restart', async () => {
  await start();
  const word = mark();
  const thread = await newThread();
  const { id } = (await (await add(thread, word)).json()) as { id: string };
  await app.close();
  await start();
  expect(await (await app.send(`/polylogue/v1/files/${id}/content`)).text()).toBe(`Read this: ${word}`);
});
