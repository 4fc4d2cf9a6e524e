import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openSqliteStore } from '../../src/backends/stores/sqlite/index.ts';
import {
  type AgentApp,
  agentFile,
  asking,
  type MadeCall,
  type NativeEvent,
  overApp,
  type StartedRun,
  testSource,
  testTool,
} from '../support/agent-app.ts';
import { startTestApp } from '../support/app.ts';
import { answer, type Step, startUpstream } from '../support/upstream.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Lost {
  readonly run: StartedRun;
  readonly app: AgentApp;
  readonly calls: readonly MadeCall[];
}

/**
 * A run whose process dies in the middle of a call, as far as its store can tell: from some moment on nothing of it is written any more. The next
 * process finds what stands there.
 */
async function loseInCall(readOnly: boolean, scripts: readonly (readonly Step[])[], text = ''): Promise<Lost> {
  const dataDir = await mkdtemp(join(tmpdir(), 'polylogue-'));
  cleanups.push(() => rm(dataDir, { recursive: true }));
  const upstream = await startUpstream(asking([{ id: 'call_w', name: 'work', args: { what: 'a' } }], text), ...scripts);
  cleanups.push(() => upstream.close());
  const calls: MadeCall[] = [];
  const begun = Promise.withResolvers<void>();
  let dead = false;
  const work = testTool('work', calls, {
    readOnly,
    answer: async (_args, { signal }) => {
      if (dead) return { status: 'completed', result: 'worked' };
      begun.resolve();
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    },
  });
  const store = await openSqliteStore({ dataDir });
  const dying = {
    ...store,
    appendLog: (batch: Parameters<typeof store.appendLog>[0]) =>
      dead
        ? Promise.resolve({
            fenced: [...batch.segments, ...batch.ends.map(({ segment }) => segment)].map(({ runId }) => runId),
            started: [],
          })
        : store.appendLog(batch),
  };
  const options = {
    dataDir,
    env: { OPENAI_BASE_URL: upstream.baseUrl },
    file: agentFile({ rules: [{ tool: 'work', rule: 'allow' }] }),
    sources: [testSource([work])],
  };
  const first = await startTestApp({ ...options, store: dying });
  const run = await overApp(first, upstream).ask('Work');
  await begun.promise;
  dead = true;
  await first.close();
  const second = await startTestApp(options);
  cleanups.push(() => second.close());
  return { run, app: overApp(second, upstream), calls };
}

const typesOf = (events: readonly NativeEvent[]) => events.map(({ type }) => type).filter((type) => type !== 'usage.recorded');

test('a call that changes something and whose end nobody knows is not made again; the model is told so', async () => {
  const { run, app, calls } = await loseInCall(false, [answer(['I do not know.'])]);
  const events = await app.eventsOf(run);
  expect(typesOf(events)).toEqual(['run.started', 'tool.called', 'run.restarted', 'tool.returned', 'text.appended', 'run.completed']);
  expect(events.find(({ type }) => type === 'tool.returned')).toMatchObject({
    status: 'failed',
    result: expect.stringContaining('may have happened'),
  });
  expect(calls).toHaveLength(1);
  expect(app.sent(1).at(-1)).toMatchObject({ role: 'tool', content: expect.stringContaining('may have happened, or not') });
  expect(await app.show(run)).toMatchObject({ status: 'completed', attempt: 2 });
});

test('a call that only reads is made again', async () => {
  const { run, app, calls } = await loseInCall(true, [answer(['It worked.'])], 'I look. ');
  const events = await app.eventsOf(run);
  expect(typesOf(events)).toEqual([
    'run.started',
    'text.appended',
    'tool.called',
    'run.restarted',
    'tool.returned',
    'text.appended',
    'run.completed',
  ]);
  expect(events.find(({ type }) => type === 'tool.returned')).toMatchObject({ status: 'completed', result: 'worked' });
  expect(calls).toHaveLength(2);
  const completed = events.at(-1) as unknown as { message: { parts: { type: string }[] }; usage: object };
  expect(completed.message.parts.map(({ type }) => type)).toEqual(['text', 'tool_call', 'tool_result', 'text']);
  expect(events.filter(({ type }) => type === 'text.appended').at(-1)).toMatchObject({ at: 'I look. '.length });
});

test('a server that is stopped leaves a run in the middle of a call to the next one, and ends one in the middle of a text', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'polylogue-'));
  cleanups.push(() => rm(dataDir, { recursive: true }));
  const upstream = await startUpstream(
    asking([{ id: 'call_w', name: 'work', args: { what: 'a' } }]),
    [...answer(['Half of it']).slice(0, 2), { hang: true }],
    answer(['It worked.']),
  );
  cleanups.push(() => upstream.close());
  const calls: MadeCall[] = [];
  const begun = Promise.withResolvers<void>();
  const work = testTool('work', calls, {
    readOnly: true,
    answer: async (_args, { signal }) => {
      if (calls.length > 1) return { status: 'completed', result: 'worked' };
      begun.resolve();
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    },
  });
  const options = {
    dataDir,
    env: { OPENAI_BASE_URL: upstream.baseUrl },
    file: { ...agentFile(), limits: { drainSeconds: 0 } },
    sources: [testSource([work])],
  };
  const first = await startTestApp(options);
  const before = overApp(first, upstream);
  const calling = await before.ask('Work');
  await begun.promise;
  const talking = await before.ask('Say it');
  await before.until(talking, 'text.appended');
  await first.close();
  const second = await startTestApp(options);
  cleanups.push(() => second.close());
  const after = overApp(second, upstream);
  expect(typesOf(await after.eventsOf(talking))).toEqual(['run.started', 'text.appended', 'run.failed']);
  expect(await after.show(talking)).toMatchObject({ status: 'failed', attempt: 1 });
  const events = await after.eventsOf(calling);
  expect(typesOf(events)).toEqual(['run.started', 'tool.called', 'run.restarted', 'tool.returned', 'text.appended', 'run.completed']);
  expect(calls).toHaveLength(2);
});

test('an answer of which a part was seen ends as interrupted, with that part', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'polylogue-'));
  cleanups.push(() => rm(dataDir, { recursive: true }));
  const upstream = await startUpstream([...answer(['Half of it']).slice(0, 2), { hang: true }]);
  cleanups.push(() => upstream.close());
  const store = await openSqliteStore({ dataDir });
  let dead = false;
  const options = { dataDir, env: { OPENAI_BASE_URL: upstream.baseUrl }, file: agentFile() };
  const dying = {
    ...store,
    appendLog: (batch: Parameters<typeof store.appendLog>[0]) =>
      dead ? Promise.resolve({ fenced: batch.ends.map(({ segment }) => segment.runId), started: [] }) : store.appendLog(batch),
  };
  const first = await startTestApp({ ...options, store: dying });
  const before = overApp(first, upstream);
  const run = await before.ask('Say it');
  await before.until(run, 'text.appended');
  dead = true;
  await first.close();
  const second = await startTestApp(options);
  cleanups.push(() => second.close());
  const events = await overApp(second, upstream).eventsOf(run);
  expect(typesOf(events)).toEqual(['run.started', 'text.appended', 'run.failed']);
  expect(events.at(-1)).toMatchObject({ code: 'interrupted' });
});
