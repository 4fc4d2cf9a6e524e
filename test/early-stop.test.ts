import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openFileBlobs } from '../src/backends/blobs/files/index.ts';
import { systemClock } from '../src/backends/clock/system-clock.ts';
import { createExtractor } from '../src/backends/extractors/create-extractor.ts';
import { randomIds } from '../src/backends/ids/random-ids.ts';
import { createMemoryRateLimiter } from '../src/backends/limits/memory.ts';
import { createCatalogue } from '../src/backends/models/catalogue.ts';
import { openSqliteStore } from '../src/backends/stores/sqlite/index.ts';
import { createTokenCounter } from '../src/backends/tokenizer/token-counter.ts';
import { createToolSchemas } from '../src/backends/tool-schemas/index.ts';
import { readTiers } from '../src/config/tiers.ts';
import { DEFAULT_APPLICATION } from '../src/core/ids.ts';
import { DEVELOPMENT_TIER } from '../src/core/limits.ts';
import type { ModelProvider } from '../src/core/ports/model-provider.ts';
import type { Store } from '../src/core/ports/store.ts';
import type { Run } from '../src/core/run.ts';
import type { EnginePorts } from '../src/engine/engine.ts';
import { createEngine, type Engine } from '../src/engine/index.ts';
import { recordingObserver } from './support/runs.ts';

const owner = { applicationId: DEFAULT_APPLICATION, userId: 'ann', tier: DEVELOPMENT_TIER, named: true };

const unused = () => {
  throw new Error('Nobody asks for keys here.');
};
const noAccess: EnginePorts['access'] = {
  keys: { make: unused },
  tokens: { issue: unused },
  box: { seal: unused, open: unused },
  onChange: async () => undefined,
  dialects: [],
};

let directory: string;
let store: Store;
let engine: Engine;
let questions: string[];
/** What a test does at the moment when the first run's end is on its way to the store. */
let whenFirstEnds: () => void;
let finishFirst: () => void;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'polylogue-stop-'));
  store = await openSqliteStore({ dataDir: directory });
  questions = [];
  const first = new Promise<void>((resolve) => {
    finishFirst = resolve;
  });
  const provider: ModelProvider = {
    async stream(request, sink) {
      questions.push(JSON.stringify(request.messages.at(-1)));
      if (questions.length === 1) await first;
      await sink({ type: 'text', text: 'words' });
      return { reason: 'stop', usage: null };
    },
    listModels: async () => [],
  };
  const log = { info: () => {}, warn: () => {} };
  engine = createEngine({
    store: {
      ...store,
      // What is sent directly behind the batch is answered before the engine has made the run live that the batch claimed.
      async appendLog(batch) {
        const stored = store.appendLog(batch);
        if (batch.ends.length === 0) return stored;
        whenFirstEnds();
        await systemClock.sleep(20);
        return stored;
      },
    },
    catalogue: createCatalogue({ settings: {}, providers: { demo: provider }, log }),
    sources: [],
    schemas: createToolSchemas(),
    runtimes: () => Promise.reject(new Error('No agent is executed')),
    houseGraph: null,
    counter: createTokenCounter(),
    templates: [],
    blobs: openFileBlobs(join(directory, 'files')),
    extractor: createExtractor({ clock: systemClock }),
    ids: randomIds,
    clock: systemClock,
    observer: recordingObserver(),
    load: { level: () => 'calm' },
    rates: { requests: createMemoryRateLimiter(), messages: createMemoryRateLimiter() },
    tiers: new Map(Object.entries(readTiers({ version: 1 }))),
    access: noAccess,
    settings: {
      queuedRunsPerThread: 20,
      runSeconds: 60,
      answerChars: 1_000_000,
      callSeconds: 60,
      approvalSeconds: 60,
      defaultAgent: null,
      fileMebibytesPerUser: 1,
    },
  });
});

afterEach(async () => {
  await engine.drain(1_000);
  await store.close();
  await rm(directory, { recursive: true });
});

async function ask(text: string, thread?: Run): Promise<Run> {
  const message = { role: 'user' as const, parts: [{ type: 'text' as const, text }] };
  const place = thread ? { id: thread.threadId } : { create: {} };
  return (await engine.runs.start({ owner, thread: place, ask: { kind: 'append', messages: [message] } })).run;
}

test('a cancel that meets the claim of a queued run is not lost, and its model is not asked', async () => {
  const first = await ask('first');
  const second = await ask('second', first);
  const cancelled = new Promise<Run>((resolve, reject) => {
    whenFirstEnds = () => {
      whenFirstEnds = () => {};
      engine.runs.cancel(owner, second.id).then(resolve, reject);
    };
  });
  finishFirst();
  expect((await cancelled).status).toBe('cancelled');
  expect(questions).toHaveLength(1);
});

test('a deletion that meets the claim of a queued run asks no model about the deleted thread', async () => {
  const first = await ask('first');
  await ask('second', first);
  const deleted = new Promise<void>((resolve, reject) => {
    whenFirstEnds = () => {
      whenFirstEnds = () => {};
      engine.threads.delete(owner, { id: first.threadId }).then(resolve, reject);
    };
  });
  finishFirst();
  await deleted;
  await systemClock.sleep(50);
  expect(questions).toHaveLength(1);
  await expect(engine.threads.find(owner, { id: first.threadId })).rejects.toMatchObject({ code: 'thread_not_found' });
});
