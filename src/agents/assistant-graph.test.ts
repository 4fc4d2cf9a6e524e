import { expect, test } from 'vitest';
import type { AgentChunk } from '../core/ports/agent.ts';
import type { ModelProvider, ModelRequest, PromptMessage } from '../core/ports/model-provider.ts';
import { assistantGraph } from './assistant-graph.ts';

function say(role: PromptMessage['role'], text: string): PromptMessage {
  return { role, parts: [{ type: 'text', text }] };
}

/** Runs the graph on a conversation; gives what it told and what it asked the model. */
async function run(messages: readonly PromptMessage[], signal = new AbortController().signal) {
  const told: AgentChunk[] = [];
  const asked: ModelRequest[] = [];
  const provider: ModelProvider = {
    async stream(request, sink) {
      asked.push(request);
      await sink({ type: 'text', text: 'words' });
      return { reason: 'stop', usage: null };
    },
    listModels: async () => [],
  };
  const request = { model: 'm', messages, temperature: null, maxTokens: null };
  const end = await assistantGraph.run({ request, provider, emit: (chunk) => void told.push(chunk), signal });
  return { told, asked, end };
}

test('a question goes to the model as it is', async () => {
  const messages = [say('system', 'Be brief.'), say('user', 'Hello, what is a DAO?')];
  const { told, asked, end } = await run(messages);
  expect(told).toEqual([
    { type: 'node', name: 'classify' },
    { type: 'node', name: 'answer' },
    { type: 'text', text: 'words' },
  ]);
  expect(asked.map((request) => request.messages)).toEqual([messages]);
  expect(end).toEqual({ reason: 'stop', usage: null });
});

test.each(['Salam!', 'hello there', 'Привет', '你好'])('%s is greeted back, with one system message', async (text) => {
  const { told, asked } = await run([say('system', 'Be brief.'), say('user', text)]);
  expect(told.map((chunk) => (chunk.type === 'node' ? chunk.name : chunk.type))).toEqual(['classify', 'small_talk', 'text']);
  expect(asked[0]?.messages.map(({ role }) => role)).toEqual(['system', 'user']);
  expect(JSON.stringify(asked[0]?.messages[0])).toMatch(/Be brief\.\\n\\nThe user only greets you/);
});

test('an aborted answer enters no further node', async () => {
  await expect(run([say('user', 'hi')], AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop');
});
