import { LLMock } from '@copilotkit/aimock';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFakeClock } from '../../../../test/support/fake-clock.ts';
import { questionFor, VENDORS } from '../../../../test/support/vendor-answers.ts';
import type { ModelChunk, ModelProvider, ModelRequest } from '../../../core/ports/model-provider.ts';

const WORDS = 'Grüße 👩‍👩‍👧! "quoted"\n\n```ts\nconst a = `\\n`;\n```\n  data: [DONE]  \r\n\tend ';
const { signal } = new AbortController();

let server: LLMock;
beforeEach(async () => {
  server = new LLMock({ port: 0, host: '127.0.0.1', chunkSize: 3 });
  await server.start();
});
afterEach(() => server.stop());

describe.each(VENDORS)('an independent server for $name', (vendor) => {
  function create(): Promise<ModelProvider> {
    const clock = { ...createFakeClock(), sleep: async () => {} };
    return vendor.create({ name: vendor.name, baseUrl: server.url + vendor.path, apiKey: 'k', clock, random: () => 0 });
  }

  async function ask(request: ModelRequest) {
    const provider = await create();
    const chunks: ModelChunk[] = [];
    const end = await provider.stream(request, (chunk) => void chunks.push(chunk), signal);
    return { end, chunks, text: textIn(chunks, 'text'), reasoning: textIn(chunks, 'reasoning') };
  }

  test('streams text and reasoning piece by piece, with usage', async () => {
    const usage = vendor.name === 'anthropic' ? { input_tokens: 11, output_tokens: 7 } : { promptTokenCount: 11, candidatesTokenCount: 7 };
    server.onMessage('hello', { content: WORDS, reasoning: 'let me think', usage });
    const { end, text, reasoning, chunks } = await ask(questionFor(vendor, 'hello'));
    expect(text).toBe(WORDS);
    expect(reasoning).toBe('let me think');
    expect(chunks.length).toBeGreaterThan(WORDS.length / 3);
    expect(end).toEqual({ reason: 'stop', usage: { input_tokens: 11, output_tokens: 7 } });
  });

  test('says when a limit ended the answer', async () => {
    server.onMessage('long', { content: 'cut', finishReason: 'length' });
    expect((await ask(questionFor(vendor, 'long'))).end.reason).toBe('length');
  });

  test('hands over tool calls whole, behind the text before them', async () => {
    const toolCalls = [
      { id: 'toolu_1', name: 'find', arguments: '{"q":"grün"}' },
      { id: 'toolu_2', name: 'other', arguments: '{}' },
    ];
    server.onMessage('look', { content: 'I look.', toolCalls });
    const { end, chunks, text } = await ask(questionFor(vendor, 'look'));
    expect(text).toBe('I look.');
    expect(chunks.slice(-2)).toEqual([
      { type: 'tool_call', call_id: 'toolu_1', name: 'find', arguments: '{"q":"grün"}' },
      { type: 'tool_call', call_id: 'toolu_2', name: 'other', arguments: '{}' },
    ]);
    expect(end.reason).toBe('tool_calls');
  });

  test('is understood: system prompt, history, calls and results arrive as what they are', async () => {
    server.onMessage(/.*/, { content: 'ok' });
    await ask({
      ...questionFor(vendor),
      temperature: 0.5,
      messages: [
        { role: 'system', parts: [{ type: 'text', text: 'Be brief.' }] },
        { role: 'user', parts: [{ type: 'text', text: 'one' }] },
        { role: 'assistant', parts: [{ type: 'tool_call', call_id: 'a', name: 'find', arguments: '{"q":1}' }] },
        { role: 'tool', parts: [{ type: 'tool_result', call_id: 'a', name: 'find', status: 'completed', result: 'found' }] },
        { role: 'assistant', parts: [{ type: 'text', text: 'done' }] },
        { role: 'user', parts: [{ type: 'text', text: 'two' }] },
      ],
    });
    const { messages, temperature } = (server.getLastRequest()?.body ?? {}) as { messages: object[]; temperature: number };
    expect(temperature).toBe(0.5);
    expect(messages).toMatchObject([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'one' },
      { role: 'assistant', tool_calls: [{ function: { name: 'find', arguments: '{"q":1}' } }] },
      { role: 'tool', content: expect.stringContaining('found') },
      { role: 'assistant', content: 'done' },
      { role: 'user', content: 'two' },
    ]);
  });

  test('refuses: the words and the number of tries are those of the failure', async () => {
    server.onMessage('hello', { content: 'fine' });
    server.nextRequestError(401, { message: 'bad key', type: 'authentication_error' });
    await expect(ask(questionFor(vendor, 'hello'))).rejects.toMatchObject({ code: 'upstream_unauthorized', message: /credentials\.$/ });
    expect(server.getRequests()).toHaveLength(1);
    server.nextRequestError(500, { message: 'oops' });
    expect((await ask(questionFor(vendor, 'hello'))).text).toBe('fine');
    expect(server.getRequests()).toHaveLength(3);
  });

  test.each([
    [{ rateLimitRate: 1 }, 'upstream_rate_limited'],
    [{ dropRate: 1 }, 'upstream_unavailable'],
    [{ disconnectRate: 1 }, 'upstream_unavailable'],
    [{ malformedRate: 1 }, 'upstream_malformed'],
  ])('with %j every answer fails as %s', async (chaos, code) => {
    server.onMessage('hello', { content: 'fine' });
    server.setChaos(chaos);
    await expect(ask(questionFor(vendor, 'hello'))).rejects.toMatchObject({ code });
  });

  test('a stream that breaks off keeps what came', async () => {
    server.onMessage('hello', { content: 'x'.repeat(300) }, { truncateAfterChunks: 20, latency: 2 });
    const provider = await create();
    let text = '';
    const sink = (chunk: ModelChunk) => {
      if (chunk.type === 'text') text += chunk.text;
    };
    await expect(provider.stream(questionFor(vendor, 'hello'), sink, signal)).rejects.toMatchObject({ code: 'upstream_interrupted' });
    expect(text).toMatch(/^x{30,60}$/);
    expect(server.getRequests()).toHaveLength(1);
  });
});

function textIn(chunks: readonly ModelChunk[], type: 'text' | 'reasoning'): string {
  return chunks.map((chunk) => (chunk.type === type ? chunk.text : '')).join('');
}
