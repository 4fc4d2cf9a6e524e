import { afterEach, describe, expect, test } from 'vitest';
import { openPostgresStore } from '../../src/backends/stores/postgres/index.ts';
import type { Store } from '../../src/core/ports/store.ts';
import { agentFile, asking, type MadeCall, overApp, testSource, testTool } from '../support/agent-app.ts';
import { startTestApp } from '../support/app.ts';
import { createTestDatabase, findTestServer } from '../support/test-database.ts';
import { answer, startUpstream } from '../support/upstream.ts';

const postgres = await findTestServer();
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe.skipIf(postgres === null)('two servers over one PostgreSQL', () => {
  test('a run asks at one, is approved at the other, goes on there, and a reader at the first sees all of it', async () => {
    const database = await createTestDatabase(postgres ?? '');
    const upstream = await startUpstream(asking([{ id: 'call_w', name: 'write', args: { what: 'a' } }], 'I do. '), answer(['Done.']));
    const calls: Record<'asked' | 'approved', MadeCall[]> = { asked: [], approved: [] };
    const serve = (made: MadeCall[]) =>
      startTestApp({
        databaseUrl: database.url,
        env: { OPENAI_BASE_URL: upstream.baseUrl },
        file: agentFile(),
        sources: [testSource([testTool('write', made)])],
      });
    const [first, second] = [await serve(calls.asked), await serve(calls.approved)];
    try {
      const [one, other] = [overApp(first, upstream), overApp(second, upstream)];
      const run = await one.ask('Write');
      const reader = first
        .send(`/polylogue/v1/runs/${run.id}/events`, { headers: { 'x-user-id': run.user } })
        .then((response) => response.text());
      await other.until(run, 'approval.requested');
      expect(await other.show(run)).toMatchObject({ status: 'waiting' });
      expect((await other.decide(run, 'call_w', { decision: 'approve' })).status).toBe(200);
      const stream = await reader;
      const events = [...stream.matchAll(/^event: (.*)$/gm)].map(([, type]) => type);
      expect(events.filter((type) => type !== 'usage.recorded')).toEqual([
        'run.started',
        'text.appended',
        'approval.requested',
        'approval.decided',
        'run.restarted',
        'tool.called',
        'tool.returned',
        'text.appended',
        'run.completed',
      ]);
      expect([calls.asked.length, calls.approved.length]).toEqual([0, 1]);
      const both = await Promise.all([one, other].map(({ decide }) => decide(run, 'call_w', { decision: 'approve' })));
      expect(both.map(({ status }) => status)).toEqual([200, 200]);
      expect(calls.approved).toHaveLength(1);
    } finally {
      await Promise.all([first.close(), second.close()]);
      await upstream.close();
      await database.drop();
    }
  });

  test.each(['cancelled', 'deleted with its thread'])('what is %s at one server breaks off its call at the other', async (how) => {
    const { run, call, other } = await callWithoutEnd();
    const path = how === 'cancelled' ? `runs/${run.id}/cancel` : `threads/${run.threadId}`;
    const method = how === 'cancelled' ? 'POST' : 'DELETE';
    const response = await other.send(`/polylogue/v1/${path}`, { method, headers: { 'x-user-id': run.user } });
    expect(response.ok).toBe(true);
    await expect.poll(() => call.signal.aborted, { timeout: 20_000 }).toBe(true);
  });

  test('a server that another one hints at one of its runs looks at once whether it still has it', async () => {
    const { run, call, other } = await callWithoutEnd(learnsByHints);
    await other.send(`/polylogue/v1/runs/${run.id}/cancel`, { method: 'POST', headers: { 'x-user-id': run.user } });
    await expect.poll(() => call.signal.aborted, { timeout: 20_000 }).toBe(true);
  });
});

/** A run at one server that has called a tool which never answers, and another server; the first has its store as `seen`. */
async function callWithoutEnd(seen: (store: Store) => Store = (store) => store) {
  const database = await createTestDatabase(postgres ?? '');
  const upstream = await startUpstream(asking([{ name: 'look' }]));
  const calls: MadeCall[] = [];
  const endless = () => new Promise<never>(() => undefined);
  const sources = [testSource([testTool('look', calls, { readOnly: true, answer: endless })])];
  const options = { databaseUrl: database.url, env: { OPENAI_BASE_URL: upstream.baseUrl }, file: agentFile(), sources };
  const store = seen(await openPostgresStore({ url: database.url, log: { info: () => undefined, warn: () => undefined } }));
  const [first, other] = [await startTestApp({ ...options, store }), await startTestApp(options)];
  cleanups.push(database.drop, upstream.close, () => Promise.all([first.close(), other.close()]));
  const run = await overApp(first, upstream).ask('Look');
  await expect.poll(() => calls.length, { timeout: 20_000 }).toBe(1);
  const [call] = calls;
  if (!call) throw new Error('The tool was not called');
  return { run, call, other };
}

/** A store that tells only those who renew because of a hint which runs were taken from them. */
function learnsByHints(store: Store): Store {
  const { hints } = store;
  if (hints === null) throw new Error('This store has no hints');
  let hinted = false;
  return {
    ...store,
    hints: {
      ...hints,
      subscribe: (listener) =>
        hints.subscribe((subject) => {
          hinted = true;
          listener(subject);
          hinted = false;
        }),
    },
    async renewLeases(lease) {
      const tells = hinted;
      const kept = await store.renewLeases(lease);
      return tells ? kept : (lease.runIds ?? kept);
    },
  };
}
