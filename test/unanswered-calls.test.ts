import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAnthropicProvider } from '../src/backends/models/ai-sdk/anthropic.ts';
import { createGoogleProvider } from '../src/backends/models/ai-sdk/google.ts';
import { createOpenAiCompatibleProvider } from '../src/backends/models/openai-compatible/provider.ts';
import type { Message, MessageStatus, Part } from '../src/core/message.ts';
import type { ModelProvider } from '../src/core/ports/model-provider.ts';
import { render } from '../src/engine/context/render.ts';
import { message } from './support/histories.ts';

type Json = Readonly<Record<string, unknown>>;

const clock = { now: () => 0, sleep: async () => {} };
const text = (words: string): Part => ({ type: 'text', text: words });
const call = (call_id: string): Part => ({ type: 'tool_call', call_id, name: 'search', arguments: `{"for":"${call_id}"}` });
const result = (call_id: string): Part => ({ type: 'tool_result', call_id, name: 'search', status: 'completed', result: `of ${call_id}` });

/** An answer of three steps, of which the first and the last call several tools at once. */
const whole: readonly Part[] = [
  ...[text('Let me see.'), call('a'), call('b'), result('b'), result('a')],
  ...[text('Once more.'), call('c'), result('c')],
  ...[call('d'), call('e'), call('f'), result('e'), result('d'), result('f'), text('There.')],
];

/** The answer cut off at every position, with a later turn behind it and without, and with every single part missing. */
function histories(): readonly (readonly Message[])[] {
  const ask = (words: string) => message('user', [text(words)]);
  const cut = whole.map((_, index) => whole.slice(0, index + 1));
  const gaps = whole.map((_, index) => whole.toSpliced(index, 1));
  const ends: readonly MessageStatus[] = ['completed', 'failed', 'cancelled'];
  return [...cut, ...gaps].flatMap((parts) =>
    ends.flatMap((status) => {
      const broken = message('assistant', parts, status);
      const later = [ask('And now?'), message('assistant', [call('a'), result('a'), text('Now.')]), ask('Then?')];
      return [
        [ask('Hello'), broken, ask('And now?')],
        [ask('Hello'), broken, ...later],
        [ask('Hello'), broken],
      ];
    }),
  );
}

const list = (value: unknown) => (Array.isArray(value) ? (value as readonly Json[]) : []);
const idsOf = (items: readonly Json[], field: string) => items.map((item) => String(item[field])).sort();
const same = (one: readonly string[], other: readonly string[]) => JSON.stringify(one) === JSON.stringify(other);

/** Behind an assistant's calls stands one tool message for each of them, and nowhere else stands one (OpenAI, chat completions). */
function openAiProblem({ messages }: Json): string | null {
  const all = list(messages);
  for (let at = 0; at < all.length; at += 1) {
    const role = all[at]?.role;
    if (role === 'tool') return 'a result without a call';
    if (role !== 'assistant' && all[at]?.content === '') return 'an empty message';
    const calls = list(all[at]?.tool_calls);
    const results = all.slice(at + 1, at + 1 + calls.length);
    if (results.some((one) => one.role !== 'tool') || !same(idsOf(calls, 'id'), idsOf(results, 'tool_call_id')))
      return 'a call without its result';
    at += calls.length;
  }
  return all.at(-1)?.role === 'assistant' ? 'ends with the assistant' : null;
}

/** Turns alternate and begin with the user; each `tool_use` has its `tool_result` in the next turn, before any text (Anthropic, messages). */
function anthropicProblem({ messages }: Json): string | null {
  const turns = list(messages);
  for (const [at, turn] of turns.entries()) {
    if (turn.role !== (at % 2 === 0 ? 'user' : 'assistant')) return 'turns do not alternate';
    const blocks = list(turn.content);
    if (blocks.length === 0 || blocks.some(({ type, text: words }) => type === 'text' && String(words).trim() === ''))
      return 'an empty turn';
    const results = blocks.filter(({ type }) => type === 'tool_result');
    if (blocks.slice(0, results.length).some(({ type }) => type !== 'tool_result')) return 'a result behind text';
    const asked = list(turns[at - 1]?.content).filter(({ type }) => type === 'tool_use');
    if (turn.role === 'user' && !same(idsOf(asked, 'id'), idsOf(results, 'tool_use_id'))) return 'calls and results differ';
  }
  return turns.at(-1)?.role === 'user' ? null : 'ends with the assistant';
}

/** The contents begin with the user; behind a turn with function calls comes one with as many responses to them (Gemini, function calling). */
function googleProblem({ contents }: Json): string | null {
  const turns = list(contents);
  if (turns[0]?.role !== 'user') return 'begins with the model';
  for (const [at, turn] of turns.entries()) {
    const parts = list(turn.parts);
    if (parts.length === 0) return 'an empty turn';
    const responses = parts.filter((part) => part.functionResponse !== undefined);
    const asked = list(turns[at - 1]?.parts).filter((part) => part.functionCall !== undefined);
    if (responses.length !== asked.length) return 'calls and responses differ in number';
  }
  return turns.at(-1)?.role === 'model' ? 'ends with the model' : null;
}

const vendors: readonly {
  readonly name: string;
  readonly create: (baseUrl: string) => Promise<ModelProvider>;
  readonly problem: (body: Json) => string | null;
}[] = [
  { name: 'openai', create: async (baseUrl) => createOpenAiCompatibleProvider({ baseUrl, apiKey: 'k', clock }), problem: openAiProblem },
  {
    name: 'anthropic',
    create: (baseUrl) => createAnthropicProvider({ name: 'anthropic', baseUrl, apiKey: 'k', clock }),
    problem: anthropicProblem,
  },
  { name: 'google', create: (baseUrl) => createGoogleProvider({ name: 'google', baseUrl, apiKey: 'k', clock }), problem: googleProblem },
];

const bodies: string[] = [];
const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (piece: string) => {
    body += piece;
  });
  request.on('end', () => {
    bodies.push(body);
    response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":{"message":"enough"}}');
  });
});

beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => server.close());

test.each(vendors)('a transcript broken anywhere is still one that $name takes', async ({ name, create, problem }) => {
  const provider = await create(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  bodies.length = 0;
  const all = histories();
  for (const history of all) {
    const messages = render(history, { instructions: ['Be kind.'], provider: name });
    const request = { model: 'm-1', messages, temperature: null, maxTokens: null, maxOutput: 1000 };
    await expect(provider.stream(request, () => undefined, new AbortController().signal)).rejects.toMatchObject({
      code: 'upstream_rejected',
    });
  }
  expect(bodies).toHaveLength(all.length);
  const problems = bodies
    .map((body) => problem(JSON.parse(body)))
    .flatMap((found, at) => (found ? [{ found, history: all[at], body: bodies[at] }] : []));
  expect(problems).toEqual([]);
  expect(bodies.some((body) => body.includes('There is no result: the call was broken off'))).toBe(true);
});
