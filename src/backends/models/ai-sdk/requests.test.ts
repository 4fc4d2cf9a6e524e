import { afterEach, expect, test } from 'vitest';
import { startUpstream, type Upstream } from '../../../../test/support/upstream.ts';
import { questionFor, VENDORS, type VendorCase, vendorAnswer } from '../../../../test/support/vendor-answers.ts';
import type { ModelRequest, PromptMessage } from '../../../core/ports/model-provider.ts';
import type { AiSdkOptions } from './provider.ts';

let open: Upstream[] = [];
afterEach(async () => {
  await Promise.all(open.map((upstream) => upstream.close()));
  open = [];
});

function vendorNamed(name: VendorCase['name']): VendorCase {
  const found = VENDORS.find((vendor) => vendor.name === name);
  if (found === undefined) throw new Error(`no vendor ${name}`);
  return found;
}

/** What the vendor's server gets for this request. */
async function sent(name: VendorCase['name'], request: Partial<ModelRequest>, own: Partial<AiSdkOptions> = {}) {
  const vendor = vendorNamed(name);
  const upstream = await startUpstream(vendorAnswer(vendor, ['ok']));
  open.push(upstream);
  const clock = { now: () => 0, sleep: async () => {} };
  const provider = await vendor.create({ name, baseUrl: upstream.baseUrl, apiKey: 'k', clock, ...own });
  const end = await provider.stream({ ...questionFor(vendor), ...request }, () => {}, new AbortController().signal);
  expect(end.reason).toBe('stop');
  const [got] = upstream.requests;
  return { path: got?.path, headers: got?.headers ?? {}, body: got?.body as Record<string, unknown> };
}

const text = (role: 'system' | 'user' | 'assistant', value: string): PromptMessage => ({ role, parts: [{ type: 'text', text: value }] });
const call = (id: string, name = 'find') => ({ type: 'tool_call', call_id: id, name, arguments: '{"q":1}' }) as const;
const result = (id: string, value: string): PromptMessage => ({
  role: 'tool',
  parts: [{ type: 'tool_result', call_id: id, name: 'find', status: 'completed', result: value }],
});

/** A system prompt, two calls at once with their results, a call after text, and a question behind the last result. */
const conversation: readonly PromptMessage[] = [
  text('system', 'Be brief.'),
  text('user', 'one'),
  { role: 'assistant', parts: [{ type: 'text', text: 'looking' }, call('a'), call('b', 'other')] },
  result('a', 'found'),
  { role: 'tool', parts: [{ type: 'tool_result', call_id: 'b', name: 'other', status: 'failed', result: '' }] },
  text('assistant', 'done '),
  text('user', 'again'),
  { role: 'assistant', parts: [call('c')] },
  result('c', 'r'),
  text('user', 'thanks'),
];

test('anthropic gets the system prompt apart, turns that alternate, results first in them, and a declaration of every tool', async () => {
  const { path, headers, body } = await sent('anthropic', { messages: conversation, temperature: 0.5, maxOutput: 1234 });
  expect(path).toBe('/v1/messages');
  expect(headers).toMatchObject({ 'x-api-key': 'k', 'anthropic-version': '2023-06-01', 'user-agent': 'polylogue' });
  expect(headers.authorization).toBeUndefined();
  expect(body).toEqual({
    model: 'claude-sonnet-4-5',
    max_tokens: 1234,
    temperature: 0.5,
    stream: true,
    system: [{ type: 'text', text: 'Be brief.' }],
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'one' }] },
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'looking' },
          { type: 'tool_use', id: 'a', name: 'find', input: { q: 1 } },
          { type: 'tool_use', id: 'b', name: 'other', input: { q: 1 } },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'a', content: 'found' },
          { type: 'tool_result', tool_use_id: 'b', content: '(failed)', is_error: true },
        ],
      },
      { role: 'assistant', content: [{ type: 'text', text: 'done ' }] },
      { role: 'user', content: [{ type: 'text', text: 'again' }] },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'c', name: 'find', input: { q: 1 } }] },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'c', content: 'r' },
          { type: 'text', text: 'thanks' },
        ],
      },
    ],
    tools: ['find', 'other'].map((name) => expect.objectContaining({ name, input_schema: { type: 'object' } })),
    tool_choice: { type: 'none' },
  });
});

test('google gets the same conversation in its own form', async () => {
  const { path, headers, body } = await sent('google', { messages: conversation, temperature: 0.5, maxTokens: 99, maxOutput: 1234 });
  expect(path).toBe('/v1/models/gemini-2.5-flash:streamGenerateContent?alt=sse');
  expect(headers).toMatchObject({ 'x-goog-api-key': 'k', 'user-agent': 'polylogue' });
  const used = (name: string) => ({ functionCall: { name, args: { q: 1 } } });
  expect(body).toMatchObject({
    generationConfig: { maxOutputTokens: 99, temperature: 0.5 },
    systemInstruction: { parts: [{ text: 'Be brief.' }] },
    contents: [
      { role: 'user', parts: [{ text: 'one' }] },
      { role: 'model', parts: [{ text: 'looking' }, used('find'), used('other')] },
      {
        role: 'user',
        parts: [
          { functionResponse: { name: 'find', response: { content: 'found' } } },
          { functionResponse: { name: 'other', response: { error: '(failed)' } } },
        ],
      },
      { role: 'model', parts: [{ text: 'done ' }] },
      { role: 'user', parts: [{ text: 'again' }] },
      { role: 'model', parts: [used('find')] },
      { role: 'user', parts: [{ functionResponse: { name: 'find', response: { content: 'r' } } }] },
      { role: 'user', parts: [{ text: 'thanks' }] },
    ],
  });
});

test('anthropic always gets a limit: what the caller asked for, what was kept free, or what the model can do', async () => {
  expect((await sent('anthropic', { maxTokens: 5, maxOutput: 1234 })).body.max_tokens).toBe(5);
  expect((await sent('anthropic', { maxOutput: 1234 })).body.max_tokens).toBe(1234);
  expect((await sent('anthropic', {})).body.max_tokens).toBe(50_000);
  expect((await sent('google', { maxOutput: 1234 })).body).not.toHaveProperty('generationConfig.maxOutputTokens');
});

test.each(VENDORS)('a proxy for $name that wants no key gets none', async ({ name }) => {
  const { headers } = await sent(name, {}, { apiKey: null });
  for (const header of ['x-api-key', 'x-goog-api-key', 'authorization']) expect(headers[header]).toBeUndefined();
});

test('a temperature that anthropic does not take is brought into its range, or left out', async () => {
  expect((await sent('anthropic', { temperature: 1.7 })).body.temperature).toBe(1);
  expect((await sent('anthropic', { temperature: 0.7, model: 'claude-opus-5-5' })).body).not.toHaveProperty('temperature');
});

test('reasoning goes back only to the provider that signed it, under any name that it has in the settings', async () => {
  const signed = { type: 'reasoning', text: 'hm', provider: { mine: { signature: 'sig' } } } as const;
  const thought = { type: 'reasoning', text: 'g', provider: { mine: { thoughtSignature: 'sig' } } } as const;
  const unsigned = { type: 'reasoning', text: 'secret thought' } as const;
  const answer = { type: 'text', text: 'yes' } as const;
  const history = (first: typeof signed | typeof thought): readonly PromptMessage[] => [
    text('user', 'q'),
    { role: 'assistant', parts: [unsigned, first, answer] },
    text('user', 'r'),
  ];
  const claude = await sent('anthropic', { messages: history(signed) }, { name: 'mine' });
  const plain = { type: 'text', text: 'yes' };
  expect(claude.body.messages).toMatchObject([{}, { content: [{ type: 'thinking', thinking: 'hm', signature: 'sig' }, plain] }, {}]);
  const other = await sent('anthropic', { messages: history(signed) }, { name: 'other' });
  expect(other.body.messages).toMatchObject([{}, { content: [plain] }, {}]);
  const gemini = await sent('google', { messages: history(thought) }, { name: 'mine' });
  expect(gemini.body.contents).toMatchObject([{}, { parts: [{ text: 'g', thought: true, thoughtSignature: 'sig' }, { text: 'yes' }] }, {}]);
  for (const { body } of [claude, other, gemini]) expect(JSON.stringify(body)).not.toContain('secret thought');
});

test('a call in a history keeps its signature, and one without gets what newer models want in its place', async () => {
  const noted = { ...call('a'), provider: { google: { thoughtSignature: 'sig' } } };
  const history = (first: typeof noted): readonly PromptMessage[] => [
    text('user', 'q'),
    { role: 'assistant', parts: [first] },
    result('a', 'r'),
  ];
  const kept = await sent('google', { model: 'gemini-3.8-flash', messages: history(noted) });
  expect(kept.body.contents).toMatchObject([{}, { parts: [{ thoughtSignature: 'sig' }] }, {}]);
  const missing = await sent('google', {
    model: 'gemini-3.8-flash',
    messages: history({ ...noted, provider: { google: {} } } as typeof noted),
  });
  expect(missing.body.contents).toMatchObject([{}, { parts: [{ thoughtSignature: 'skip_thought_signature_validator' }] }, {}]);
});

test.each(VENDORS)('$name lists the models that can answer, with its key', async ({ name, create }) => {
  const lists = {
    anthropic: { data: [{ id: 'claude-x' }, { id: 7 }, {}], has_more: false },
    google: {
      models: [
        { name: 'models/gemini-x', supportedGenerationMethods: ['generateContent', 'countTokens'] },
        { name: 'models/gemini-x-image', supportedGenerationMethods: ['generateContent'] },
        { name: 'models/gemini-x-preview-tts', supportedGenerationMethods: ['generateContent'] },
        { name: 'models/embedder', supportedGenerationMethods: ['embedContent'] },
      ],
    },
  };
  const json = { 'content-type': 'application/json' };
  const upstream = await startUpstream(
    [{ head: 200, headers: json }, { raw: JSON.stringify(lists[name]) }, { end: true }],
    [{ head: 302, headers: { location: 'http://127.0.0.1:1/' } }, { end: true }],
    [{ head: 200, headers: json }, { raw: 'x'.repeat(2_000_000) }, { end: true }],
  );
  open.push(upstream);
  const provider = await create({ name, baseUrl: upstream.baseUrl, apiKey: 'k', clock: { now: () => 0, sleep: async () => {} } });
  const { signal } = new AbortController();
  expect(await provider.listModels(signal)).toEqual([name === 'anthropic' ? 'claude-x' : 'gemini-x']);
  expect(upstream.requests[0]?.path).toBe(name === 'anthropic' ? '/v1/models?limit=1000' : '/v1/models?pageSize=1000');
  expect(upstream.requests[0]?.headers[name === 'anthropic' ? 'x-api-key' : 'x-goog-api-key']).toBe('k');
  await expect(provider.listModels(signal)).rejects.toMatchObject({ code: 'upstream_rejected' });
  await expect(provider.listModels(signal)).rejects.toMatchObject({ code: 'upstream_too_long' });
});
