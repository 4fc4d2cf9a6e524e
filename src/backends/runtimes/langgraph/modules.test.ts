import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createModuleFolder } from '../../../../test/support/agent-modules.ts';
import { agentTask, say, scriptedProvider } from '../../../../test/support/agent-tasks.ts';
import { createLangGraphRuntime } from './index.ts';

const modules = createModuleFolder();
afterAll(() => modules.remove());

const agentOf = (module: string, stepLimit = 25) => ({ name: 'tested', module, stepLimit });

describe('what graphs say', () => {
  it.each<[string, string, readonly string[]]>([
    [
      'a message that is no instance of a class',
      `export const graph = builder.addNode('say', () => ({ messages: [{ role: 'assistant', content: 'Plain' }] })).addEdge(START, 'say');`,
      ['> say', 'Plain'],
    ],
    [
      'the pieces of a model of its own',
      `const own = new FakeListChatModel({ responses: ['Mine'] });
export const graph = builder.addNode('say', async ({ messages }) => ({ messages: [await own.invoke(messages)] })).addEdge(START, 'say');`,
      ['> say', 'Mine'],
    ],
    [
      'nothing of a call that is tagged so',
      `export const graph = builder.addNode('say', async ({ messages }, config) => {
  const hidden = await model(config).withConfig({ tags: ['nostream'] }).invoke(messages);
  return { messages: [new AIMessage('Shown, not ' + hidden.text.length)] };
}).addEdge(START, 'say');`,
      ['> say', 'Shown, not 7'],
    ],
    [
      'the nodes of a graph within it',
      `const inner = new StateGraph(MessagesAnnotation).addNode('inner', async ({ messages }, config) => ({ messages: [await model(config).invoke(messages)] }))
  .addEdge(START, 'inner').compile();
export const graph = builder.addNode('outer', inner).addEdge(START, 'outer').compile();`,
      ['> outer', '> inner', 'Model 1'],
    ],
    [
      'what it makes of the pieces of its model',
      `export const graph = builder.addNode('shout', async ({ messages }, config) => {
  let text = '';
  for await (const chunk of await model(config).withConfig({ tags: ['nostream'] }).stream(messages)) {
    text += chunk.text;
    config.writer(chunk.text.toUpperCase());
  }
  config.writer({ text: ' ' + text.length });
}).addEdge(START, 'shout');`,
      ['> shout', 'MODEL 1 7'],
    ],
    ['nothing, when there is nothing', `export const graph = builder.addNode('quiet', () => ({})).addEdge(START, 'quiet');`, ['> quiet']],
  ])('%s', async (_, body, story) => {
    const { provider } = scriptedProvider([
      { type: 'text', text: 'Model' },
      { type: 'text', text: ' 1' },
    ]);
    const run = agentTask({
      agent: agentOf(modules.graph(body)),
      provider,
      messages: [say('user', 'Hello'), say('assistant', 'Hi'), say('user', 'Go')],
    });
    expect(await createLangGraphRuntime().run(run.task)).toMatchObject({ reason: 'stop' });
    expect(run.story).toEqual(story);
  });
});

it('a question that nobody can read ends the run', async () => {
  const module = modules.graph(`export const graph = builder.addNode('ask', () => interrupt('?'.repeat(200_000))).addEdge(START, 'ask');`);
  const { task } = agentTask({ agent: agentOf(module) });
  await expect(createLangGraphRuntime().run(task)).rejects.toMatchObject({
    code: 'run_failed',
    message: expect.stringContaining('node ask'),
  });
});

it('the model may be called no more often than the agent has steps', async () => {
  const module = modules.graph(`
export const graph = builder.addNode('loop', async ({ messages }, config) => { while (true) await model(config).invoke(messages); }).addEdge(START, 'loop');`);
  const run = agentTask({ agent: agentOf(module, 2) });
  await expect(createLangGraphRuntime().run(run.task)).rejects.toMatchObject({ code: 'step_limit' });
});

describe('a module that is of no use is named with the reason', () => {
  it.each([
    ['syntax', 'export const graph = (;', /agent-\d+\.mjs cannot be loaded: /],
    ['another export', 'export const agent = 1;', /agent-\d+\.mjs has no export named graph/],
    ['no graph', 'export const graph = { stream: 1 };', /agent-\d+\.mjs exports no LangGraph graph/],
    ['an exception', 'throw new Error("No settings");', /agent-\d+\.mjs cannot be loaded: No settings/],
  ])('%s', async (_, body, message) => {
    await expect(createLangGraphRuntime().check(modules.graph(body))).rejects.toThrow(message);
  });

  it('a file that is not there', async () => {
    await expect(createLangGraphRuntime().check(join(modules.directory, 'none.mjs'))).rejects.toThrow(
      /none\.mjs cannot be loaded: Cannot find/,
    );
  });
});
