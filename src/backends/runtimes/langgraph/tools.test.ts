import { afterAll, describe, expect, it } from 'vitest';
import { createModuleFolder } from '../../../../test/support/agent-modules.ts';
import { agentTask, memoryCheckpoints, memoryDesk, scriptedProvider } from '../../../../test/support/agent-tasks.ts';
import type { ApprovalAnswer } from '../../../core/ports/agent-runtime.ts';
import type { Tool } from '../../../core/ports/tool.ts';
import { createLangGraphRuntime } from './index.ts';

const modules = createModuleFolder();
afterAll(() => modules.remove());

const agentOf = (module: string) => ({ name: 'tested', module });

describe('tools', () => {
  const weather: Tool = {
    name: 'weather',
    description: 'The weather',
    parameters: { type: 'object', properties: { place: { type: 'string' } }, required: ['place'] },
    readOnly: true,
    call: async ({ place }) => ({ status: 'completed', result: `Sun in ${place}` }),
  };
  const AGENT = `
export const graph = builder
  .addNode('think', async ({ messages }, config) => ({ messages: [await model(config).bindTools(config.configurable.tools).invoke(messages)] }))
  .addNode('act', (state, config) => new ToolNode(config.configurable.tools).invoke(state, config))
  .addEdge(START, 'think')
  .addConditionalEdges('think', ({ messages }) => (messages.at(-1).tool_calls?.length ? 'act' : END))
  .addEdge('act', 'think');`;
  const call = { type: 'tool_call', call_id: 'c1', name: 'weather', arguments: '{"place":"Baku"}' } as const;

  it('are called at the desk, and the model is told what they said', async () => {
    const { desk, requested } = memoryDesk({ tools: [weather] });
    const { provider, asked } = scriptedProvider([call], [{ type: 'text', text: 'It is sunny.' }]);
    const run = agentTask({ agent: agentOf(modules.graph(AGENT)), desk, provider });
    await createLangGraphRuntime().run(run.task);
    expect(run.story).toEqual(['> think', '> act', '> think', 'It is sunny.']);
    expect(requested).toEqual([{ call_id: 'c1', name: 'weather', arguments: '{"place":"Baku"}' }]);
    const { name, description, parameters } = weather;
    expect(asked[0]?.tools).toEqual([{ name, description, parameters, readOnly: false }]);
    expect(asked[1]?.messages.slice(-2)).toEqual([
      { role: 'assistant', parts: [call] },
      { role: 'tool', parts: [{ type: 'tool_result', call_id: 'c1', name: 'weather', status: 'completed', result: 'Sun in Baku' }] },
    ]);
  });

  it('are not called with arguments that are no object, and each call has an id of its own', async () => {
    const { desk, requested } = memoryDesk({ tools: [weather] });
    const broken = { ...call, arguments: '{"place":' };
    const { provider, asked } = scriptedProvider([call, { ...call, arguments: '' }], [call, broken], [broken]);
    await createLangGraphRuntime().run(agentTask({ agent: agentOf(modules.graph(AGENT)), desk, provider }).task);
    expect(requested.map(({ arguments: json }) => json)).toEqual(['{"place":"Baku"}', '{}', '{"place":"Baku"}']);
    expect(new Set(requested.map(({ call_id }) => call_id)).size).toBe(3);
    expect(asked).toHaveLength(3);
  });

  it('wait for their approval, and the node then gets their answers', async () => {
    const checkpoints = memoryCheckpoints();
    const decisions = new Map<string, ApprovalAnswer>();
    const { desk, made } = memoryDesk({ tools: [weather], ask: ['weather'], decisions });
    const module = modules.graph(AGENT);
    const both = [call, { ...call, call_id: 'c2', arguments: '{"place":"Oslo"}' }];
    const first = agentTask({ agent: agentOf(module), desk, provider: scriptedProvider(both).provider, checkpoints: checkpoints.store });
    expect(await createLangGraphRuntime().run(first.task)).toEqual({ reason: 'waiting' });
    expect(made).toEqual([]);
    decisions.set('c1', { decision: 'approve', arguments: null }).set('c2', { decision: 'deny', arguments: null });
    const { provider, asked } = scriptedProvider([{ type: 'text', text: 'Done.' }]);
    const next = agentTask({ agent: agentOf(module), desk, provider, checkpoints: checkpoints.store, attempt: 2, before: first.facts() });
    expect(await createLangGraphRuntime().run(next.task)).toMatchObject({ reason: 'stop' });
    expect(next.story).toEqual(['> act', '> think', 'Done.']);
    expect(made.map(({ call_id }) => call_id)).toEqual(['c1']);
    expect(asked[0]?.messages.slice(-2).map(({ parts }) => parts)).toMatchObject([[{ result: 'Sun in Baku' }], [{ status: 'failed' }]]);
  });

  it('called by a node itself have the same id when it runs again', async () => {
    const decisions = new Map<string, ApprovalAnswer>();
    const { desk, requested } = memoryDesk({ tools: [weather], ask: ['weather'], decisions });
    const checkpoints = memoryCheckpoints();
    const module = modules.graph(`
const ask = async (_, { configurable: { tools: [weather] } }) => ({ messages: [new AIMessage(await weather.invoke({ place: 'Rome' }))] });
export const graph = builder.addNode('ask', ask).addEdge(START, 'ask');`);
    const first = agentTask({ agent: agentOf(module), desk, checkpoints: checkpoints.store });
    expect(await createLangGraphRuntime().run(first.task)).toEqual({ reason: 'waiting' });
    decisions.set(requested[0]?.call_id ?? '', { decision: 'approve', arguments: '{"place":"Pisa"}' });
    const next = agentTask({ agent: agentOf(module), desk, checkpoints: checkpoints.store, attempt: 2, before: first.facts() });
    await createLangGraphRuntime().run(next.task);
    expect(next.story).toEqual(['> ask', 'Sun in Pisa']);
    expect(requested[0]?.call_id).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
  });
});
