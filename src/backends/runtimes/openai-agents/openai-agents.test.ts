import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { createModuleFolder } from '../../../../test/support/agent-modules.ts';
import { agentTask, memoryCheckpoints, memoryDesk, say, scriptedProvider } from '../../../../test/support/agent-tasks.ts';
import type { ApprovalAnswer } from '../../../core/ports/agent-runtime.ts';
import type { ModelChunk, ModelProvider } from '../../../core/ports/model-provider.ts';
import type { Tool } from '../../../core/ports/tool.ts';
import { createOpenAiAgentsRuntime } from './index.ts';

const module = fileURLToPath(new URL('../../../../examples/openai-agent/agent.mjs', import.meta.url));
const agent = { name: 'shop', runtime: 'openai-agents', module } as const;
const runtime = createOpenAiAgentsRuntime();
const modules = createModuleFolder();
afterAll(() => modules.remove());

function agentModule(body: string): string {
  return modules.write(`import { Agent, tool, webSearchTool } from '@openai/agents';\n${body}`);
}

const text = (words: string): ModelChunk => ({ type: 'text', text: words });
const call = (call_id: string, name: string, args: object): ModelChunk => ({
  type: 'tool_call',
  call_id,
  name,
  arguments: JSON.stringify(args),
});
const toolCalled = { type: 'tool.called', call_id: 'c', name: 'find_order', arguments: '{}', called_at: '2026-01-01T00:00:00Z' } as const;
const handOver = call('h', 'transfer_to_orders', {});

describe('an agent with a handoff and functions of its own', () => {
  it('tells who speaks, and calls its functions at the desk', async () => {
    const { desk, requested } = memoryDesk();
    const { provider, asked } = scriptedProvider(
      [text('One moment. '), handOver],
      [call('c', 'find_order', { order: '1001' })],
      [text('Shipped.')],
    );
    const run = agentTask({ agent, provider, desk, messages: [say('system', 'Be brief.'), say('user', 'Where is 1001?')] });
    expect(await runtime.run(run.task)).toEqual({ reason: 'stop', usage: { input_tokens: 9, output_tokens: 6 } });
    expect(run.story).toEqual(['> reception', 'One moment. ', '> orders', '\n\nShipped.']);
    expect(requested).toEqual([{ call_id: 'c', name: 'find_order', arguments: '{"order":"1001"}' }]);
    expect(asked.map(({ tools }) => tools?.map(({ name }) => name))).toEqual([
      ['transfer_to_orders'],
      ['find_order', 'cancel_order'],
      ['find_order', 'cancel_order'],
    ]);
    expect(asked[0]?.messages[0]).toEqual(
      say('system', 'Be brief.\n\nYou are the first to answer. Hand questions about orders over to the order desk.'),
    );
    expect(asked[2]?.messages.at(-1)?.parts).toMatchObject([
      { type: 'tool_result', call_id: 'c', result: 'Order 1001: shipped on Monday' },
    ]);
  });

  it('waits for a person, and goes on in another process with what was decided', async () => {
    const checkpoints = memoryCheckpoints();
    const decisions = new Map<string, ApprovalAnswer>();
    const { desk, made } = memoryDesk({ decisions });
    const both = [call('a', 'find_order', { order: '1002' }), call('b', 'cancel_order', { order: '1002' })];
    const messages = [say('user', 'Cancel 1002')];
    const first = agentTask({
      agent,
      desk,
      messages,
      checkpoints: checkpoints.store,
      provider: scriptedProvider([handOver], [text('Well.'), ...both]).provider,
    });
    expect(await runtime.run(first.task)).toEqual({ reason: 'waiting' });
    decisions.set('b', { decision: 'approve', arguments: '{"order":"4711"}' });
    const { provider, asked } = scriptedProvider([text('Done.')]);
    const next = agentTask({ agent, desk, messages, checkpoints: checkpoints.store, provider, attempt: 2, before: first.facts() });
    expect(await createOpenAiAgentsRuntime().run(next.task)).toEqual({ reason: 'stop', usage: { input_tokens: 9, output_tokens: 6 } });
    expect([...first.story, ...next.story]).toEqual(['> reception', '> orders', 'Well.', '\n\nDone.']);
    expect(made.map(({ call_id }) => call_id)).toContain('b');
    expect(asked[0]?.messages.slice(-2).flatMap(({ parts }) => parts)).toMatchObject([
      { result: 'Order 1002: still in the warehouse' },
      { result: 'There is no order 4711' },
    ]);
  });

  it('goes on behind its last call when it was killed in the middle of what it said', async () => {
    const checkpoints = memoryCheckpoints();
    const { desk } = memoryDesk();
    const stop = new AbortController();
    const scripted = scriptedProvider([handOver], [text('Let me see.'), call('c', 'find_order', { order: '1001' })]);
    let calls = 0;
    const provider: ModelProvider = {
      ...scripted.provider,
      async stream(request, sink, signal) {
        calls += 1;
        if (calls < 3) return scripted.provider.stream(request, sink, signal);
        await sink(text('It was shi'));
        stop.abort(new Error('killed'));
        return new Promise<never>(() => {});
      },
    };
    const first = agentTask({ agent, desk, provider, checkpoints: checkpoints.store, signal: stop.signal });
    await expect(runtime.run(first.task)).rejects.toThrow('killed');
    expect(runtime.canResume([...first.facts(), toolCalled])).toBe(true);
    const again = scriptedProvider([text('It was shipped.')]);
    const before = first.facts();
    const next = agentTask({ agent, desk, provider: again.provider, checkpoints: checkpoints.store, attempt: 2, before });
    await runtime.run(next.task);
    expect([...first.story, ...next.story]).toEqual(['> reception', '> orders', 'Let me see.\n\nIt was shi', 'pped.']);
    expect(again.asked).toHaveLength(1);
  });

  it('calls tools of its server, and none that are not listed', async () => {
    const clock: Tool = {
      name: 'clock',
      description: 'Tells the time',
      parameters: { type: 'object', properties: {} },
      readOnly: true,
      call: async () => ({ status: 'completed', result: 'Noon' }),
    };
    const { desk, requested } = memoryDesk({ tools: [clock] });
    const only = { ...desk, extend: () => desk };
    const { provider, asked } = scriptedProvider(
      [handOver],
      [call('t', 'clock', {})],
      [call('x', 'cancel_order', { order: '1001' })],
      [text('No.')],
    );
    const run = agentTask({ agent, provider, desk: only });
    await runtime.run(run.task);
    expect(asked[1]?.tools?.map(({ name }) => name)).toEqual(['clock']);
    expect(asked[2]?.messages.at(-1)?.parts).toMatchObject([{ result: 'Noon' }]);
    expect(JSON.stringify(asked[3]?.messages.at(-1))).toMatch(/cancel_order.*not/);
    expect(requested.map(({ name }) => name)).toEqual(['clock']);
  });

  it('ends at its step limit', async () => {
    const { provider } = scriptedProvider([handOver], [call('1', 'find_order', { order: 'a' })], [call('2', 'find_order', { order: 'b' })]);
    const run = agentTask({ agent: { ...agent, stepLimit: 2 }, provider });
    await expect(runtime.run(run.task)).rejects.toMatchObject({ code: 'step_limit' });
  });

  it('ends at once when it is cancelled', async () => {
    const stop = new AbortController();
    const provider = { stream: () => new Promise<never>(() => stop.abort(new Error('cancelled'))), listModels: async () => [] };
    await expect(runtime.run(agentTask({ agent, provider, signal: stop.signal }).task)).rejects.toThrow('cancelled');
  });
});

it('several runs of one agent do not see each other', async () => {
  const runs = await Promise.all(
    ['1001', '1002'].map(async (order) => {
      const { provider, asked } = scriptedProvider([handOver], [call('c', 'find_order', { order })], [text(order)]);
      await runtime.run(agentTask({ agent, provider, messages: [say('user', order)] }).task);
      return JSON.stringify(asked[2]?.messages);
    }),
  );
  expect(runs[0]).toContain('Order 1001: shipped on Monday');
  expect(runs[1]).toContain('Order 1002: still in the warehouse');
});

it('a failing function is told to the model without what it threw', async () => {
  const failing = agentModule(`export const agent = new Agent({ name: 'a', tools: [tool({
    name: 'fail', description: 'Fails', parameters: { type: 'object', properties: {}, required: [], additionalProperties: true }, strict: false,
    errorFunction: null, execute: async () => { throw new Error('/etc/secret'); } })] });`);
  const { provider, asked } = scriptedProvider([call('c', 'fail', {})], [text('Sorry.')]);
  const run = agentTask({ agent: { ...agent, module: failing }, provider });
  await runtime.run(run.task);
  expect(asked[1]?.messages.at(-1)?.parts).toMatchObject([{ result: 'The tool fail has failed' }]);
});

describe('a module that is of no use is named with the reason', () => {
  it.each([
    ['no agent', 'export const agent = {};', /agent-\d+\.mjs exports no agent of @openai\/agents/],
    ['a tool at OpenAI', `export const agent = new Agent({ name: 'a', tools: [webSearchTool()] });`, /the tool web_search runs at OpenAI/],
    [
      'an agent as a tool',
      `export const agent = new Agent({ name: 'a', tools: [new Agent({ name: 'b' }).asTool({ toolName: 'b', toolDescription: 'b' })] });`,
      /the tool b is an agent/,
    ],
  ])('%s', async (_, body, message) => {
    await expect(runtime.check(agentModule(body))).rejects.toThrow(message);
  });
});
