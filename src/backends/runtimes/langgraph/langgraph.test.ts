import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { agentTask, memoryCheckpoints, memoryDesk, say, scriptedProvider } from '../../../../test/support/agent-tasks.ts';
import type { ApprovalAnswer } from '../../../core/ports/agent-runtime.ts';
import { createLangGraphRuntime } from './index.ts';

const module = fileURLToPath(new URL('../../../../examples/custom-graph/graph.ts', import.meta.url));
const agent = { name: 'notes', runtime: 'langgraph', module } as const;
const runtime = createLangGraphRuntime();

describe('a graph that was not written for this server', () => {
  it('enters its nodes before their texts, through a loop to a question for a person', async () => {
    const { desk, questions } = memoryDesk();
    const run = agentTask({ agent, desk, messages: [say('user', 'Write a release note')] });
    expect(await runtime.run(run.task)).toEqual({ reason: 'waiting' });
    expect(run.story).toEqual([
      '> read',
      '> draft_note',
      'Draft 1. ',
      '> draft_note',
      'Draft 2. ',
      '> draft_note',
      'Draft 3. ',
      '> approve',
    ]);
    expect(questions).toEqual([
      {
        call_id: expect.stringMatching(/^[0-9a-f]{32}_0$/),
        name: 'approve',
        arguments: '{"question":"Publish this release note?","draft":"Release note, draft 3"}',
      },
    ]);
  });

  it.each<[ApprovalAnswer, string]>([
    [{ decision: 'approve', arguments: null }, 'Published: Release note, draft 3'],
    [{ decision: 'approve', arguments: '"Better"' }, 'Published: Better'],
    [{ decision: 'approve', arguments: 'Better' }, 'Published: Better'],
    [{ decision: 'deny', arguments: null }, 'Nothing was published.'],
  ])('goes on in another process with what was decided: %j', async (answer, text) => {
    const checkpoints = memoryCheckpoints();
    const decisions = new Map<string, ApprovalAnswer>();
    const { desk, questions } = memoryDesk({ decisions });
    const messages = [say('user', 'Write a release note')];
    const first = agentTask({ agent, desk, messages, checkpoints: checkpoints.store });
    await runtime.run(first.task);
    decisions.set(questions[0]?.call_id ?? '', answer);
    expect(runtime.canResume(first.facts())).toBe(true);
    const next = agentTask({ agent, desk, messages, checkpoints: checkpoints.store, attempt: 2, before: first.facts() });
    expect(await createLangGraphRuntime().run(next.task)).toMatchObject({ reason: 'stop' });
    expect(next.story).toEqual(['> approve', '> publish', `\n\n${text}`]);
  });

  it('streams the model that it is given', async () => {
    const { provider, asked } = scriptedProvider([
      { type: 'reasoning', text: 'hm' },
      { type: 'text', text: 'Hi ' },
      { type: 'text', text: 'there' },
    ]);
    const messages = [say('system', 'Be brief.'), say('user', 'One'), say('assistant', 'Two'), say('user', 'Three')];
    const run = agentTask({ agent, provider, messages });
    expect(await runtime.run(run.task)).toEqual({ reason: 'stop', usage: { input_tokens: 3, output_tokens: 2 } });
    expect(run.story).toEqual(['> read', '> chat', 'Hi there']);
    expect(run.told).toContainEqual({ type: 'reasoning', text: 'hm' });
    expect(asked[0]?.messages).toEqual(messages);
  });

  it('fails with a sentence that names the node and nothing else', async () => {
    const run = agentTask({ agent, messages: [say('user', 'break')] });
    await expect(runtime.run(run.task)).rejects.toMatchObject({
      code: 'run_failed',
      message: 'The node broken of the agent notes has failed',
    });
  });

  it('ends at its step limit', async () => {
    const run = agentTask({ agent: { ...agent, stepLimit: 3 }, messages: [say('user', 'Write a release note')] });
    await expect(runtime.run(run.task)).rejects.toMatchObject({ code: 'step_limit' });
  });
});
