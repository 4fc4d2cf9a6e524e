import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it, test } from 'vitest';
import { agentApps, asking, type MadeCall, overApp, testSource, testTool } from '../support/agent-app.ts';
import { createModuleFolder } from '../support/agent-modules.ts';
import { startTestApp } from '../support/app.ts';
import { answer, startUpstream } from '../support/upstream.ts';

const start = agentApps();
const modules = createModuleFolder();
afterAll(() => modules.remove());
let clean: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of clean.reverse()) await step();
  clean = [];
});

const module = fileURLToPath(new URL('../../examples/custom-graph/graph.ts', import.meta.url));
const settings = (definition: object) => ({
  models: { 'gpt-4': { provider: 'openai', window: 8192 } },
  agents: { definitions: { notes: { runtime: 'langgraph', module, ...definition } } },
});

/** The frames of a graph stream as `event data`. */
async function frames(response: Response): Promise<readonly string[]> {
  const text = await response.text();
  return [...text.matchAll(/^event: (\w+)\n((?:data: .*\n)+)/gm)].map(
    ([, event, data = '']) => `${event} ${data.replaceAll(/^data: /gm, '').trimEnd()}`,
  );
}

describe('a LangGraph graph of the settings', () => {
  it('streams its nodes and tokens in their order', async () => {
    const { app } = await start([answer(['Hello', ' there'])], { file: settings({}) });
    const response = await app.post('/api/v1/graph/stream', { message: 'Hi', agent: 'notes' });
    const seen = await frames(response);
    expect(seen.filter((frame) => !frame.startsWith('token'))).toEqual(['node read', 'node chat', 'done [DONE]']);
    expect(seen.flatMap((frame) => (frame.startsWith('token ') ? [frame.slice(6)] : [])).join('')).toBe('Hello there');
    expect(seen.findIndex((frame) => frame.startsWith('token'))).toBeGreaterThan(seen.indexOf('node chat'));
    const whole = await app.post('/api/v1/graph/invoke', { message: 'Hi', agent: 'notes' });
    expect(await whole.json()).toMatchObject({ metadata: { nodes_visited: ['read', 'chat'] } });
  });

  it('asks a person, who decides after a restart of the server, and goes on from there', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'polylogue-'));
    const upstream = await startUpstream();
    clean.push(
      () => upstream.close(),
      () => rm(dataDir, { recursive: true }),
    );
    const env = { OPENAI_BASE_URL: upstream.baseUrl };
    const open = async () => {
      const app = await startTestApp({ dataDir, file: settings({}), env });
      clean.push(() => app.close());
      return overApp(app, upstream);
    };
    const first = await open();
    const run = await first.ask('Write a release note', { agent: 'notes' });
    const asked = (await first.until(run, 'approval.requested')).find(({ type }) => type === 'approval.requested');
    expect(asked).toMatchObject({ name: 'approve', arguments: expect.stringContaining('Publish this release note?') });
    expect(await first.show(run)).toMatchObject({ status: 'waiting' });
    await first.app.close();
    clean.pop();

    const second = await open();
    const decided = await second.decide(run, String(asked?.call_id), { decision: 'approve', arguments: 'Version 2 is out' });
    expect(decided.status).toBeLessThan(300);
    const events = await second.eventsOf(run);
    const told = events.flatMap((event) => {
      if (event.type === 'node.entered') return [`> ${event.name}`];
      return event.type === 'text.appended' ? [String(event.text)] : [];
    });
    const drafts = ['> draft_note', 'Draft 1. ', '> draft_note', 'Draft 2. ', '> draft_note', 'Draft 3. '];
    expect(told).toEqual(['> read', ...drafts, '> approve', '> approve', '> publish', '\n\nPublished: Version 2 is out']);
    expect(events.at(-1)).toMatchObject({ type: 'run.completed' });
    expect(events.map(({ offset }) => offset)).toEqual(events.map((_, index) => index + 1));
  });

  it('fails with the name of the node, and the log says where', async () => {
    const { app, ask, eventsOf } = await start([], { file: settings({}) });
    const events = await eventsOf(await ask('Please break', { agent: 'notes' }));
    expect(events.at(-1)).toMatchObject({
      type: 'run.failed',
      code: 'run_failed',
      detail: 'The node broken of the agent notes has failed',
    });
    expect(JSON.stringify(events)).not.toContain('/etc/secret');
    expect(app.log()).toContain('custom-graph/graph.ts:');
  });

  it('is cancelled at once, also in a node that does not listen', async () => {
    const deaf = modules.write(`import { MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
export const graph = new StateGraph(MessagesAnnotation).addNode('deaf', () => new Promise(() => {})).addEdge(START, 'deaf');`);
    const { app, ask, until, eventsOf } = await start([], { file: settings({ module: deaf }) });
    const run = await ask('Go', { agent: 'notes' });
    await until(run, 'node.entered');
    await app.post(`/polylogue/v1/runs/${run.id}/cancel`, {}, { 'x-user-id': run.user });
    expect((await eventsOf(run)).map(({ type }) => type)).toEqual(['run.started', 'node.entered', 'run.cancelled']);
  });

  it('calls tools side by side, each once, those that ask when somebody has approved them', async () => {
    const calls: MadeCall[] = [];
    const tools = [testTool('look', calls, { readOnly: true }), testTool('write', calls)];
    const agent = modules.graph(`export const graph = builder
  .addNode('think', async ({ messages }, config) => ({ messages: [await model(config).bindTools(config.configurable.tools).invoke(messages)] }))
  .addNode('act', (state, config) => new ToolNode(config.configurable.tools).invoke(state, config))
  .addEdge(START, 'think')
  .addConditionalEdges('think', ({ messages }) => (messages.at(-1).tool_calls?.length ? 'act' : END))
  .addEdge('act', 'think');`);
    const scripts = [asking([{ name: 'look' }, { name: 'write', args: { what: 'one' } }, { name: 'delete' }]), answer(['Done.'])];
    const options = { file: settings({ module: agent, tools: ['test/*'] }), sources: [testSource(tools)] };
    const { ask, until, decide, eventsOf, sent } = await start(scripts, options);
    const run = await ask('Go', { agent: 'notes' });
    const asked = (await until(run, 'approval.requested')).find(({ type }) => type === 'approval.requested');
    expect(asked).toMatchObject({ name: 'write', arguments: '{"what":"one"}' });
    expect(calls.map(({ name }) => name)).toEqual(['look']);
    await decide(run, String(asked?.call_id), { decision: 'approve', arguments: '{"what":"two"}' });
    const events = await eventsOf(run);
    expect(events.at(-1)).toMatchObject({ type: 'run.completed' });
    expect(calls.map(({ name, args }) => [name, args])).toEqual([
      ['look', {}],
      ['write', { what: 'two' }],
    ]);
    expect(sent(1).flatMap(({ role, content }) => (role === 'tool' ? [content] : []))).toEqual([
      expect.stringContaining('done'),
      expect.stringContaining('done'),
      expect.stringMatching(/no tool|not found/),
    ]);
  });

  it('ends at its step limit', async () => {
    const { ask, eventsOf } = await start([], { file: settings({ stepLimit: 3 }) });
    const events = await eventsOf(await ask('Write a release note', { agent: 'notes' }));
    expect(events.at(-1)).toMatchObject({ type: 'run.failed', code: 'step_limit' });
  });
});

test('a server whose settings name a module that is of no use does not start, and says why', async () => {
  const { agents } = settings({ module: join(modules.directory, 'none.mjs') });
  await expect(startTestApp({ file: { agents } })).rejects.toThrow(
    /The agent notes of the settings cannot be used: .*none\.mjs cannot be loaded/,
  );
});
