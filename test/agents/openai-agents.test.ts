import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { agentApps, asking, overApp } from '../support/agent-app.ts';
import { startTestApp } from '../support/app.ts';
import { answer, startUpstream } from '../support/upstream.ts';

const start = agentApps();
let clean: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of clean.reverse()) await step();
  clean = [];
});

const module = fileURLToPath(new URL('../../examples/openai-agent/agent.mjs', import.meta.url));
const settings = (but: object = {}) => ({
  models: { 'gpt-4': { provider: 'openai', window: 8192 } },
  agents: { definitions: { shop: { runtime: 'openai-agents', module, tools: ['find_order', 'cancel_order'], ...but } } },
});
const allow = { rules: [{ tool: '*', rule: 'allow' }] };
const handOver = asking([{ name: 'transfer_to_orders' }]);

test('the agents that speak are told as nodes, and calls of their functions as calls', async () => {
  const scripts = [handOver, asking([{ name: 'find_order', args: { order: '1001' } }]), answer(['Shipped.'])];
  const { ask, eventsOf, show } = await start(scripts, { file: settings(allow) });
  const run = await ask('Where is 1001?', { agent: 'shop' });
  const events = await eventsOf(run);
  const told = events.flatMap(({ type, name, result, text }) => (type.startsWith('run.') ? [] : [[type, name ?? text, result]]));
  expect(told.filter(([type]) => type !== 'usage.recorded')).toEqual([
    ['node.entered', 'reception', undefined],
    ['node.entered', 'orders', undefined],
    ['tool.called', 'find_order', undefined],
    ['tool.returned', 'find_order', 'Order 1001: shipped on Monday'],
    ['text.appended', 'Shipped.', undefined],
  ]);
  expect(await show(run)).toMatchObject({ status: 'completed' });
});

test('a function that needs an approval asks although a rule allows it, and is called once, after a restart', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'polylogue-'));
  const upstream = await startUpstream(handOver, asking([{ name: 'cancel_order', args: { order: '1002' } }]), answer(['Cancelled.']));
  clean.push(
    () => upstream.close(),
    () => rm(dataDir, { recursive: true }),
  );
  const open = async () => {
    const app = await startTestApp({ dataDir, file: settings(allow), env: { OPENAI_BASE_URL: upstream.baseUrl } });
    clean.push(() => app.close());
    return overApp(app, upstream);
  };
  const first = await open();
  const run = await first.ask('Cancel 1002', { agent: 'shop' });
  const asked = (await first.until(run, 'approval.requested')).find(({ type }) => type === 'approval.requested');
  expect(asked).toMatchObject({ name: 'cancel_order', arguments: '{"order":"1002"}' });
  await first.app.close();
  clean.pop();

  const second = await open();
  await second.decide(run, String(asked?.call_id), { decision: 'approve' });
  const events = await second.eventsOf(run);
  expect(events.flatMap(({ type, result }) => (type === 'tool.returned' ? [result] : []))).toEqual(['Order 1002 is cancelled']);
  expect(events.at(-1)).toMatchObject({
    type: 'run.completed',
    message: { parts: expect.arrayContaining([{ type: 'text', text: 'Cancelled.' }]) },
  });
});

test('a function that the agent does not list is not offered', async () => {
  const { ask, eventsOf, upstream } = await start(
    [handOver, asking([{ name: 'cancel_order', args: { order: '1001' } }]), answer(['No.'])],
    {
      file: settings({ ...allow, tools: ['find_order'] }),
    },
  );
  const events = await eventsOf(await ask('Cancel 1001', { agent: 'shop' }));
  expect(events.filter(({ type }) => type.startsWith('tool.'))).toEqual([]);
  expect(events.at(-1)).toMatchObject({ type: 'run.completed' });
  const offered = upstream.requests.map(({ body }) =>
    (body as { tools: readonly { function: { name: string } }[] }).tools.map((tool) => tool.function.name),
  );
  expect(offered[1]).toEqual(['find_order']);
});
