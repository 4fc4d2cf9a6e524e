import { afterAll, describe, expect, it } from 'vitest';
import { createModuleFolder } from '../../../../test/support/agent-modules.ts';
import { agentTask, memoryCheckpoints, memoryDesk, scriptedProvider } from '../../../../test/support/agent-tasks.ts';
import type { ApprovalAnswer } from '../../../core/ports/agent-runtime.ts';
import type { CheckpointStore } from '../../../core/ports/checkpoint-store.ts';
import type { ModelProvider } from '../../../core/ports/model-provider.ts';
import { createLangGraphRuntime } from './index.ts';

const modules = createModuleFolder();
afterAll(() => modules.remove());

const agentOf = (module: string) => ({ name: 'tested', module });
const hangs = (signal: AbortSignal) => new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

/** Two nodes, each of which says what the model says. */
const TWO_NODES = `
const speak = async ({ messages }, config) => ({ messages: [await model(config).invoke(messages)] });
export const graph = builder.addNode('one', speak).addNode('two', speak).addEdge(START, 'one').addEdge('one', 'two').addEdge('two', END);`;

describe('an attempt after a process was killed in the middle of a node', () => {
  /** The second call of the model says some text and never ends. */
  async function killed(seen: string) {
    const checkpoints = memoryCheckpoints();
    const stop = new AbortController();
    let calls = 0;
    const provider: ModelProvider = {
      async stream(_request, sink, signal) {
        calls += 1;
        await sink({ type: 'text', text: calls === 1 ? 'First.' : seen });
        if (calls === 1) return { reason: 'stop', usage: { input_tokens: 10, output_tokens: 1 } };
        stop.abort(new Error('killed'));
        return hangs(signal);
      },
      listModels: async () => [],
    };
    const module = modules.graph(TWO_NODES);
    const first = agentTask({ agent: agentOf(module), provider, checkpoints: checkpoints.store, signal: stop.signal });
    await expect(createLangGraphRuntime().run(first.task)).rejects.toThrow('killed');
    return { module, checkpoints, first };
  }

  it.each([
    ['says the same again', { seen: 'Seco', shown: ['nd.'] }],
    ['says something else', { seen: 'Secx', shown: ['\n\nSecond.'] }],
    ['says less', { seen: 'Second. And more', shown: [] }],
    ['has said nothing yet', { seen: '', shown: ['\n\nSecond.'] }],
  ])('goes on behind the finished one: the node %s', async (_, { seen, shown }) => {
    const { module, checkpoints, first } = await killed(seen);
    const runtime = createLangGraphRuntime();
    const { provider, asked } = scriptedProvider([{ type: 'text', text: 'Second.' }]);
    const before = first.facts();
    expect(runtime.canResume(before)).toBe(true);
    const next = agentTask({ agent: agentOf(module), provider, checkpoints: checkpoints.store, attempt: 2, before });
    expect(await runtime.run(next.task)).toEqual({ reason: 'stop', usage: { input_tokens: 13, output_tokens: 3 } });
    expect(asked.map(({ messages }) => messages.map(({ parts }) => parts))).toEqual([
      [[{ type: 'text', text: 'Hello' }], [{ type: 'text', text: 'First.' }]],
    ]);
    expect(next.story).toEqual(['> two', ...shown]);
  });

  it('knows what a finished node has returned and not streamed, however slow the store is', async () => {
    const module = modules.graph(`
export const graph = builder.addNode('one', () => ({ messages: [new AIMessage('One.')] }))
  .addNode('two', async ({ messages }, config) => ({ messages: [await model(config).invoke(messages)] })).addEdge(START, 'one').addEdge('one', 'two');`);
    const checkpoints = memoryCheckpoints();
    let puts = 0;
    const slow: CheckpointStore = {
      ...checkpoints.store,
      async putCheckpoints(...args) {
        puts += 1;
        // Each takes less long than the one before.
        for (let turns = 20 - 4 * puts; turns > 0; turns -= 1) await new Promise(setImmediate);
        return checkpoints.store.putCheckpoints(...args);
      },
    };
    const stop = new AbortController();
    const provider: ModelProvider = {
      async stream(_request, sink, signal) {
        await sink({ type: 'text', text: 'Tw' });
        stop.abort(new Error('killed'));
        return hangs(signal);
      },
      listModels: async () => [],
    };
    const first = agentTask({ agent: agentOf(module), provider, checkpoints: slow, signal: stop.signal });
    await expect(createLangGraphRuntime().run(first.task)).rejects.toThrow('killed');
    const again = scriptedProvider([{ type: 'text', text: 'Two.' }]);
    const before = first.facts();
    const next = agentTask({ agent: agentOf(module), provider: again.provider, checkpoints: checkpoints.store, attempt: 2, before });
    await createLangGraphRuntime().run(next.task);
    expect([...first.story, ...next.story]).toEqual(['> one', 'One.', '> two', '\n\nTw', '> two', 'o.']);
  });

  it('does not run again what ran beside it and has ended', async () => {
    const module = modules.graph(`
const say = (name) => async (_, config) => ({ messages: [await model(config).invoke(name)] });
export const graph = builder.addNode('a', say('a')).addNode('b', say('b')).addEdge(START, 'a').addEdge(START, 'b');`);
    const checkpoints = memoryCheckpoints();
    const stop = new AbortController();
    const provider: ModelProvider = {
      async stream({ messages }, sink, signal) {
        if (JSON.stringify(messages).includes('"b"')) return hangs(signal);
        await sink({ type: 'text', text: 'A.' });
        return { reason: 'stop', usage: null };
      },
      listModels: async () => [],
    };
    const first = agentTask({ agent: agentOf(module), provider, checkpoints: checkpoints.store, signal: stop.signal });
    const running = createLangGraphRuntime().run(first.task);
    const hasEnded = ([name, data]: [string, Uint8Array]) => name.endsWith('/writes') && Buffer.from(data).includes('A.');
    await expect.poll(() => [...checkpoints.records].some(hasEnded)).toBe(true);
    stop.abort(new Error('killed'));
    await expect(running).rejects.toThrow('killed');
    const again = scriptedProvider([{ type: 'text', text: 'B.' }]);
    const before = first.facts();
    const next = agentTask({ agent: agentOf(module), provider: again.provider, checkpoints: checkpoints.store, attempt: 2, before });
    await createLangGraphRuntime().run(next.task);
    expect(again.asked.map(({ messages }) => messages)).toEqual([[{ role: 'user', parts: [{ type: 'text', text: 'b' }] }]]);
    expect(
      first
        .facts()
        .map((fact) => (fact.type === 'node.entered' ? fact.name : fact.type))
        .sort(),
    ).toEqual(['a', 'b', 'text.appended']);
    expect(next.story.join('')).toMatch(/^> b\s*B\.$/);
  });

  it('stores nothing once another attempt has the run', async () => {
    const { module, checkpoints } = await killed('');
    checkpoints.own(3);
    const late = agentTask({ agent: agentOf(module), checkpoints: checkpoints.store, attempt: 2 });
    await expect(createLangGraphRuntime().run(late.task)).rejects.toMatchObject({ code: 'run_failed' });
  });
});

it('stores no checkpoint before the text of its steps stands in the log', async () => {
  const { store } = memoryCheckpoints();
  const order: string[] = [];
  const { provider } = scriptedProvider([{ type: 'text', text: 'First.' }], [{ type: 'text', text: 'Second.' }]);
  const { task } = agentTask({ agent: agentOf(modules.graph(TWO_NODES)), provider });
  await createLangGraphRuntime().run({
    ...task,
    emit: (chunk) => void (chunk.type === 'text' && order.push(chunk.text)),
    stored: async () => {
      await new Promise(setImmediate);
      order.push('stored');
    },
    checkpoints: {
      ...store,
      putCheckpoints: (...args) => {
        order.push('put');
        return store.putCheckpoints(...args);
      },
    },
  });
  const puts = order.flatMap((entry, place) => (entry === 'put' ? [place] : []));
  expect(puts.length).toBeGreaterThan(2);
  for (const place of puts)
    expect(
      order
        .slice(0, place)
        .filter((entry) => entry !== 'put')
        .at(-1),
    ).toBe('stored');
});

it('ends at once when it is cancelled, whatever its node does', async () => {
  const module = modules.graph(`export const graph = builder.addNode('deaf', () => new Promise(() => {})).addEdge(START, 'deaf');`);
  const stop = new AbortController();
  const run = agentTask({ agent: agentOf(module), signal: stop.signal });
  const emit: typeof run.task.emit = (chunk) => {
    stop.abort(new Error('cancelled'));
    return run.task.emit(chunk);
  };
  await expect(createLangGraphRuntime().run({ ...run.task, emit })).rejects.toThrow('cancelled');
  expect(run.story).toEqual(['> deaf']);
});

it('asks each question of a node that has several', async () => {
  const decisions = new Map<string, ApprovalAnswer>();
  const { desk, questions } = memoryDesk({ decisions });
  const checkpoints = memoryCheckpoints();
  const module = modules.graph(`
const ask = () => ({ messages: [new AIMessage([interrupt('First?'), interrupt('Second?')].join(' and '))] });
const inner = new StateGraph(MessagesAnnotation).addNode('ask', ask).addEdge(START, 'ask').compile();
export const graph = builder.addNode('outer', inner).addEdge(START, 'outer');`);
  let before = agentTask().facts();
  for (const [index, words] of ['"one"', '"two"', null].entries()) {
    const run = agentTask({ agent: agentOf(module), desk, checkpoints: checkpoints.store, attempt: index + 1, before });
    const end = await createLangGraphRuntime().run(run.task);
    expect(end.reason).toBe(words === null ? 'stop' : 'waiting');
    if (words !== null) decisions.set(questions.at(-1)?.call_id ?? '', { decision: 'approve', arguments: words });
    before = run.facts();
  }
  expect(new Set(questions.map(({ arguments: json }) => json))).toEqual(new Set(['"First?"', '"Second?"']));
  expect(before.map((fact) => (fact.type === 'text.appended' ? fact.text : '')).join('')).toBe('one and two');
});

it('says so when the store cannot keep what it needs to go on', async () => {
  const { store } = memoryCheckpoints();
  const checkpoints = { ...store, putCheckpoints: async () => Promise.reject(new Error('disk full')) };
  const { task } = agentTask({ agent: agentOf(modules.graph(TWO_NODES)), checkpoints });
  await expect(createLangGraphRuntime().run(task)).rejects.toMatchObject({ code: 'overloaded' });
});
