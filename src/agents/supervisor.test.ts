import { describe, expect, it, test } from 'vitest';
import { agentTask, memoryDesk, say, scriptedProvider } from '../../test/support/agent-tasks.ts';
import { weather } from '../backends/tools/built-in/weather.ts';
import type { ApprovalAnswer } from '../core/ports/agent-runtime.ts';
import type { Tool } from '../core/ports/tool.ts';
import { supervisor } from './supervisor.ts';
import { placeIn } from './weather-words.ts';

const passages = [{ text: 'Leave is 30 days.', label: 'manual.pdf, page 2' }] as never;
const search: Tool = {
  name: 'search_attachments',
  description: 'Searches',
  parameters: { type: 'object' },
  readOnly: true,
  call: async ({ query }) => ({ status: 'completed', result: `Passages about ${query}` }),
};
const tools = [search, weather];
const words = { type: 'text', text: 'Words.' } as const;
const usage = (calls: number) => ({ input_tokens: 3 * calls, output_tokens: 2 * calls });

describe('a question', () => {
  it('that needs nothing is answered by one call of the model, as it is', async () => {
    const messages = [say('system', 'Be brief.'), say('user', 'What is a DAO?')];
    const { provider, asked } = scriptedProvider([words]);
    const run = agentTask({ messages, provider, desk: memoryDesk({ tools }).desk });
    expect(await supervisor.run(run.task)).toEqual({ reason: 'stop', usage: usage(1) });
    expect(run.story).toEqual(['> supervisor', '> answer', 'Words.']);
    expect(asked).toEqual([{ model: 'm', messages, temperature: null, maxTokens: null }]);
  });

  it('about files gets what the search found, as the result of a tool', async () => {
    const { desk, made } = memoryDesk({ tools });
    const { provider, asked } = scriptedProvider([words]);
    const run = agentTask({ messages: [say('user', 'How many days of leave?')], provider, desk, request: { passages } });
    await supervisor.run(run.task);
    expect(run.story).toEqual(['> supervisor', '> retrieve_docs', '> answer', 'Words.']);
    expect(made).toEqual([{ call_id: 'retrieve_docs', name: 'search_attachments', arguments: '{"query":"How many days of leave?"}' }]);
    expect(asked[0]?.messages.at(-1)?.parts).toMatchObject([{ type: 'tool_result', result: 'Passages about How many days of leave?' }]);
  });

  it('about the weather gets it for the place that the model means', async () => {
    const { desk } = memoryDesk({ tools });
    const call = { type: 'tool_call', call_id: 'a', name: 'weather', arguments: '{"city":"Oslo","month":1}' } as const;
    const { provider, asked } = scriptedProvider([{ type: 'text', text: 'I look.' }, call], [words]);
    const run = agentTask({ messages: [say('user', 'Is it cold in January, where the fjord is? Weather?')], provider, desk });
    expect(await supervisor.run(run.task)).toEqual({ reason: 'stop', usage: usage(2) });
    expect(run.story).toEqual(['> supervisor', '> retrieve_weather', '> answer', 'Words.']);
    expect(asked.map((request) => request.tools?.map(({ name }) => name))).toEqual([['weather'], undefined]);
    expect(JSON.stringify(asked[1]?.messages)).toMatch(/Oslo: month 1: -4 °C/);
  });

  it.each([
    ['What is the weather in New York today?', /New York: January 1/],
    ['Какая погода в Paris?', /Paris: January 5/],
    ['How is the WEATHER?', null],
  ])('about the weather, to a model that calls no tools: %s', async (question, told) => {
    const { desk } = memoryDesk({ tools });
    const { provider, asked } = scriptedProvider([words], [words]);
    const run = agentTask({ messages: [say('user', question)], provider, desk });
    await supervisor.run(run.task);
    expect(run.story).toEqual(['> supervisor', '> retrieve_weather', '> answer', 'Words.']);
    if (told) expect(JSON.stringify(asked[1]?.messages)).toMatch(told);
    else expect(asked[1]?.messages).toHaveLength(1);
  });

  it('that needs both gets both, as far as the agent has the tools', async () => {
    const { desk } = memoryDesk({ tools: [search] });
    const { provider, asked } = scriptedProvider([words]);
    const run = agentTask({ messages: [say('user', 'weather in Oslo')], provider, desk, request: { passages } });
    await supervisor.run(run.task);
    expect(run.story).toEqual(['> supervisor', '> retrieve_docs', '> retrieve_weather', '> answer', 'Words.']);
    expect(asked).toHaveLength(1);
  });
});

test('a call that waits is made when it is approved, and nodes are entered once', async () => {
  const decisions = new Map<string, ApprovalAnswer>();
  const { desk } = memoryDesk({ tools, ask: ['search_attachments'], decisions });
  const ask = { messages: [say('user', 'Leave?')], desk, request: { passages } };
  const first = agentTask(ask);
  expect(await supervisor.run(first.task)).toEqual({ reason: 'waiting' });
  decisions.set('retrieve_docs', { decision: 'approve', arguments: null });
  expect(supervisor.canResume(first.facts())).toBe(true);
  const { provider, asked } = scriptedProvider([words]);
  const next = agentTask({ ...ask, provider, before: first.facts(), attempt: 2 });
  await supervisor.run(next.task);
  expect([...first.story, ...next.story]).toEqual(['> supervisor', '> retrieve_docs', '> answer', 'Words.']);
  expect(JSON.stringify(asked)).toContain('Passages about Leave?');
  expect(supervisor.canResume(next.facts())).toBe(false);
});

test('an aborted answer enters no further node', async () => {
  const run = agentTask({ signal: AbortSignal.abort(new Error('stop')) });
  await expect(supervisor.run(run.task)).rejects.toThrow('stop');
  expect(run.told).toEqual([]);
});

test.each([
  ['Paris', null],
  ['weather in Paris or Rome?', 'Rome'],
  [`in ${'A'.repeat(100_000)}`, 'A'.repeat(3_997)],
  [' A'.repeat(50_000), expect.stringMatching(/^A/)],
])('a place is a name behind other words', (question, place) => {
  expect(placeIn(question)).toEqual(place);
});
