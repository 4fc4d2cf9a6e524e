import { afterEach, expect, test } from 'vitest';
import { chunkLine, type Step, startUpstream, type Upstream } from '../../../test/support/upstream.ts';
import type { ModelChunk, ModelProvider, ModelRequest } from '../../core/ports/model-provider.ts';
import type { ToolDefinition } from '../../core/tool.ts';
import { createAnthropicProvider } from './ai-sdk/anthropic.ts';
import { createGoogleProvider } from './ai-sdk/google.ts';
import { createOpenAiCompatibleProvider } from './openai-compatible/provider.ts';

const HEAD: Step = { head: 200, headers: { 'content-type': 'text/event-stream' } };
const clock = { now: () => 0, sleep: async () => {} };

const schema = {
  type: 'object',
  properties: {
    city: { type: 'string', enum: ['Rome', 'Oslo'], description: 'Where "it" rains 👋' },
    days: { type: 'integer', minimum: 1 },
  },
  required: ['city'],
};
const tools: readonly ToolDefinition[] = [
  { name: 'weather', description: 'Tells the weather.', parameters: schema, readOnly: true },
  { name: 'tasks_delete-all', description: '', parameters: { type: 'object', properties: {} }, readOnly: false },
];

interface Case {
  readonly name: string;
  readonly create: (baseUrl: string) => Promise<ModelProvider>;
  /** What the vendor's server sends for two calls at once, the first with its arguments in pieces, the second without any. */
  readonly body: string;
  /** The offered tools as they stand in the request. */
  readonly offered: unknown;
}

const event = (type: string, fields: object = {}) => `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
const block = (index: number, id: string, name: string) =>
  event('content_block_start', { index, content_block: { type: 'tool_use', id, name, input: {} } });
const piece = (index: number, partial_json: string) =>
  event('content_block_delta', { index, delta: { type: 'input_json_delta', partial_json } });
const call = (index: number, fields: object) => chunkLine({ tool_calls: [{ index, ...fields }] });

const cases: readonly Case[] = [
  {
    name: 'openai-compatible',
    create: async (baseUrl) => createOpenAiCompatibleProvider({ baseUrl, apiKey: 'k', clock }),
    body: [
      call(0, { id: 'a', function: { name: 'weather', arguments: '' } }),
      call(0, { function: { arguments: '{"city":"Ro' } }),
      call(1, { id: 'b', function: { name: 'tasks_delete-all', arguments: '' } }),
      call(0, { function: { arguments: 'me"}' } }),
      chunkLine({}, 'tool_calls'),
      'data: [DONE]\n\n',
    ].join(''),
    offered: tools.map(({ name, description, parameters }) => ({ type: 'function', function: { name, description, parameters } })),
  },
  {
    name: 'anthropic',
    create: (baseUrl) => createAnthropicProvider({ name: 'anthropic', baseUrl, apiKey: 'k', clock }),
    body: [
      event('message_start', {
        message: {
          id: 'm',
          type: 'message',
          role: 'assistant',
          model: 'claude-sonnet-4-5',
          content: [],
          stop_reason: null,
          usage: { input_tokens: 7, output_tokens: 1 },
        },
      }),
      block(0, 'a', 'weather'),
      piece(0, ''),
      piece(0, '{"city":"Ro'),
      piece(0, 'me"}'),
      event('content_block_stop', { index: 0 }),
      block(1, 'b', 'tasks_delete-all'),
      event('content_block_stop', { index: 1 }),
      event('message_delta', { delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { output_tokens: 5 } }),
      event('message_stop'),
    ].join(''),
    offered: tools.map(({ name, description, parameters }) => expect.objectContaining({ name, description, input_schema: parameters })),
  },
  {
    name: 'google',
    create: (baseUrl) => createGoogleProvider({ name: 'google', baseUrl, apiKey: 'k', clock }),
    body: [
      {
        candidates: [
          {
            content: {
              role: 'model',
              parts: [
                { functionCall: { id: 'a', name: 'weather', args: { city: 'Rome' } } },
                { functionCall: { id: 'b', name: 'tasks_delete-all', args: {} } },
              ],
            },
            index: 0,
          },
        ],
      },
      { candidates: [{ content: { role: 'model', parts: [{ text: '' }] }, finishReason: 'STOP', index: 0 }] },
    ]
      .map((fields) => `data: ${JSON.stringify(fields)}\r\n\r\n`)
      .join(''),
    offered: [{ functionDeclarations: tools.map(({ name }) => expect.objectContaining({ name })) }],
  },
];

let open: Upstream[] = [];
afterEach(async () => {
  await Promise.all(open.map((upstream) => upstream.close()));
  open = [];
});

async function ask({ create, body }: Case, request: Partial<ModelRequest>) {
  // One write for each byte, so that any two reads share a character, a line and a call.
  const upstream = await startUpstream([HEAD, ...[...Buffer.from(body)].map((byte) => ({ raw: Uint8Array.of(byte) })), { end: true }]);
  open.push(upstream);
  const provider = await create(upstream.baseUrl);
  const chunks: ModelChunk[] = [];
  const question: ModelRequest = {
    model: 'm-1',
    messages: [{ role: 'user', parts: [{ type: 'text', text: 'hi' }] }],
    temperature: null,
    maxTokens: null,
  };
  const end = await provider.stream({ ...question, ...request }, (chunk) => void chunks.push(chunk), new AbortController().signal);
  return { end, chunks, sent: upstream.requests[0]?.body as Readonly<Record<string, unknown>> };
}

test.each(cases)('$name is told of the tools, and calls come whole: several at once, in pieces, without arguments', async (vendor) => {
  const { end, chunks, sent } = await ask(vendor, { tools });
  expect(sent.tools).toEqual(vendor.offered);
  expect(sent).not.toHaveProperty('tool_choice.type', 'none');
  expect(sent).not.toHaveProperty('parallel_tool_calls');
  expect(end.reason).toBe('tool_calls');
  expect(chunks.map((chunk) => (chunk.type === 'tool_call' ? [chunk.name, JSON.parse(chunk.arguments || '{}')] : chunk))).toEqual([
    ['weather', { city: 'Rome' }],
    ['tasks_delete-all', {}],
  ]);
  const ids = chunks.map((chunk) => (chunk.type === 'tool_call' ? chunk.call_id : ''));
  expect(new Set(ids).size).toBe(2);
  expect(ids).not.toContain('');
});

test.each(cases)('$name is told of no tools where there are none', async (vendor) => {
  for (const request of [{}, { tools: [] }]) expect((await ask(vendor, request)).sent).not.toHaveProperty('tools');
});

test.each(cases)('$name is offered what may be called now, not what a history mentions', async (vendor) => {
  const { sent } = await ask(vendor, {
    tools,
    messages: [
      { role: 'user', parts: [{ type: 'text', text: 'q' }] },
      { role: 'assistant', parts: [{ type: 'tool_call', call_id: 'x', name: 'gone', arguments: '{}' }] },
      { role: 'tool', parts: [{ type: 'tool_result', call_id: 'x', name: 'gone', status: 'completed', result: 'r' }] },
    ],
  });
  expect(sent.tools).toEqual(vendor.offered);
});
