import { afterEach, expect, test } from 'vitest';
import { answer, chunkLine, refuse, type Step, startUpstream, type Upstream } from '../../../../test/support/upstream.ts';
import type { ModelChunk, ModelRequest } from '../../../core/ports/model-provider.ts';
import { createOpenAiCompatibleProvider, type OpenAiCompatibleOptions } from './provider.ts';

const KEY = 'sk-test-0123456789';
const never = new AbortController().signal;
const question: ModelRequest = {
  model: 'm',
  messages: [{ role: 'user', parts: [{ type: 'text', text: 'hi' }] }],
  temperature: null,
  maxTokens: null,
};
const sseHead: Step = { head: 200, headers: { 'content-type': 'text/event-stream' } };

let open: Upstream[] = [];
afterEach(async () => {
  await Promise.all(open.map((upstream) => upstream.close()));
  open = [];
});

async function setUp(scripts: readonly (readonly Step[])[], options: Partial<OpenAiCompatibleOptions> = {}) {
  const upstream = await startUpstream(...scripts);
  open.push(upstream);
  const sleeps: number[] = [];
  const clock = {
    now: () => 0,
    sleep: async (ms: number) => {
      sleeps.push(ms);
    },
  };
  const provider = createOpenAiCompatibleProvider({ baseUrl: upstream.baseUrl, apiKey: KEY, clock, random: () => 0.5, ...options });
  const chunks: ModelChunk[] = [];
  const ask = (request: ModelRequest = question, signal: AbortSignal = never) =>
    provider.stream(request, (chunk) => void chunks.push(chunk), signal);
  return { upstream, provider, chunks, sleeps, ask };
}

function joined(chunks: readonly ModelChunk[], type: 'text' | 'reasoning' = 'text'): string {
  return chunks.map((chunk) => (chunk.type === type ? chunk.text : '')).join('');
}

test('streams text with usage and sends the plain request', async () => {
  const { upstream, chunks, ask } = await setUp([answer(['Hel', 'lo', ' 👋'], { usage: [7, 3] })]);
  const end = await ask({ ...question, temperature: 0.5, maxTokens: 99 });
  expect(joined(chunks)).toBe('Hello 👋');
  expect(end).toEqual({ reason: 'stop', usage: { input_tokens: 7, output_tokens: 3 } });
  expect(upstream.requests[0]).toMatchObject({ method: 'POST', path: '/v1/chat/completions', headers: { authorization: `Bearer ${KEY}` } });
  expect(upstream.requests[0]?.body).toEqual({
    model: 'm',
    messages: [{ role: 'user', content: 'hi' }],
    stream: true,
    stream_options: { include_usage: true },
    temperature: 0.5,
    max_tokens: 99,
  });
});

test('writes tool calls and results in the wire format', async () => {
  const { upstream, ask } = await setUp([answer(['ok'])]);
  await ask({
    ...question,
    messages: [
      { role: 'system', parts: [{ type: 'text', text: 's' }] },
      { role: 'user', parts: [{ type: 'text', text: 'u' }] },
      { role: 'assistant', parts: [{ type: 'tool_call', call_id: 'c1', name: 'f', arguments: '{"a":1}' }] },
      { role: 'tool', parts: [{ type: 'tool_result', call_id: 'c1', name: 'f', status: 'completed', result: 'r' }] },
    ],
  });
  expect(upstream.requests[0]?.body).toMatchObject({
    messages: [
      { role: 'system', content: 's' },
      { role: 'user', content: 'u' },
      { role: 'assistant', content: null, tool_calls: [{ id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }] },
      { role: 'tool', tool_call_id: 'c1', content: 'r' },
    ],
  });
});

test('decodes characters and lines that any two reads share', async () => {
  const body = Buffer.from(
    `\uFEFF: hello\r\n\r\n${chunkLine({ content: 'a€👋' }).replaceAll('\n', '\r\n').replace('data: ', 'data:')}data: [DONE]\n\n`,
  );
  const bytes: Step[] = [...body].map((byte) => ({ raw: Uint8Array.of(byte) }));
  const { chunks, ask } = await setUp([[sseHead, ...bytes, { end: true }]]);
  await ask();
  expect(joined(chunks)).toBe('a€👋');
});

test('puts tool calls together by index and hands them over whole at the end', async () => {
  const call = (index: number, fields: object) => ({ delta: { tool_calls: [{ index, ...fields }] } });
  const { chunks, ask } = await setUp([
    [
      sseHead,
      { delta: { reasoning_content: 'hm' } },
      call(0, { id: 'a', function: { name: 'f', arguments: '' } }),
      call(1, { function: { name: 'g', arguments: '{"y"' } }),
      call(0, { function: { arguments: '{"x":' } }),
      call(1, { function: { arguments: ':2}' } }),
      call(0, { function: { arguments: '1}' } }),
      { delta: {}, finish: 'tool_calls' },
      { end: true },
    ],
  ]);
  expect(await ask()).toEqual({ reason: 'tool_calls', usage: null });
  expect(chunks).toEqual([
    { type: 'reasoning', text: 'hm', gathers: true },
    { type: 'tool_call', call_id: 'a', name: 'f', arguments: '{"x":1}' },
    { type: 'tool_call', call_id: expect.stringMatching(/^call_.+/), name: 'g', arguments: '{"y":2}' },
  ]);
});

test('takes the one message of a server that does not stream', async () => {
  const body = {
    choices: [{ message: { role: 'assistant', content: 'whole' }, finish_reason: 'length' }],
    usage: { prompt_tokens: 1, completion_tokens: 2 },
  };
  const { chunks, ask } = await setUp([
    [{ head: 200, headers: { 'content-type': 'application/json' } }, { raw: JSON.stringify(body) }, { end: true }],
  ]);
  expect(await ask()).toEqual({ reason: 'length', usage: { input_tokens: 1, output_tokens: 2 } });
  expect(joined(chunks)).toBe('whole');
});

test('goes on without stream_options, and remembers it, when the server does not know them', async () => {
  const { upstream, chunks, ask } = await setUp([refuse(400, 'Unknown field: stream_options'), answer(['ok'])]);
  await ask();
  await ask();
  expect(joined(chunks)).toBe('okok');
  expect(upstream.requests.map(({ body }) => 'stream_options' in (body as object))).toEqual([true, false, false]);
});

test('learns max_completion_tokens, but not from a limit that is too large', async () => {
  const words = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
  const { upstream, ask } = await setUp([
    refuse(400, 'max_tokens is too large: 9. This model supports at most 4.'),
    refuse(400, words),
    answer(['ok']),
  ]);
  const limited = { ...question, maxTokens: 9 };
  await expect(ask(limited)).rejects.toMatchObject({ code: 'upstream_rejected' });
  await ask(limited);
  await ask(limited);
  const sent = upstream.requests.map(({ body }) => Object.keys(body as object).find((name) => name.startsWith('max_')));
  expect(sent).toEqual(['max_tokens', 'max_tokens', 'max_completion_tokens', 'max_completion_tokens']);
});

test('lists the models', async () => {
  const { provider, upstream } = await setUp([
    [{ head: 200, headers: { 'content-type': 'application/json' } }, { raw: '{"data":[{"id":"a"},{"id":7},{"id":"b"}]}' }, { end: true }],
    refuse(500, 'no'),
  ]);
  expect(await provider.listModels(never)).toEqual(['a', 'b']);
  await expect(provider.listModels(never)).rejects.toMatchObject({ code: 'upstream_unavailable' });
  expect(upstream.requests[0]).toMatchObject({ method: 'GET', path: '/v1/models' });
});

test('a promise of the sink holds the source back, the text of one read is one chunk', async () => {
  const { provider } = await setUp([
    [sseHead, { raw: chunkLine({ content: 'a' }) + chunkLine({ content: 'b' }) }, { waitMs: 200 }, ...answer(['c']).slice(1)],
  ]);
  const seen: string[] = [];
  let release = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const end = provider.stream(
    question,
    (chunk) => {
      seen.push(chunk.type === 'text' ? chunk.text : chunk.type);
      return seen.length === 1 ? gate : undefined;
    },
    never,
  );
  await expect.poll(() => seen).toEqual(['ab']);
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(seen).toEqual(['ab']);
  release();
  await end;
  expect(seen).toEqual(['ab', 'c']);
});

test('silence that the sink asked for is no timeout', async () => {
  const { provider } = await setUp([[sseHead, { delta: { content: 'a' } }, { waitMs: 10 }, ...answer(['b']).slice(1)]], {
    timeouts: { idleMs: 40 },
  });
  const end = await provider.stream(question, () => new Promise<void>((resolve) => setTimeout(resolve, 150)), never);
  expect(end.reason).toBe('stop');
});

test('an error of the sink ends the answer and closes the connection', async () => {
  const { provider, upstream } = await setUp([[sseHead, { delta: { content: 'a' } }, { hang: true }]]);
  const fault = new Error('store is gone');
  await expect(provider.stream(question, () => Promise.reject(fault), never)).rejects.toBe(fault);
  await upstream.requests[0]?.closedEarly;
  expect(upstream.requests).toHaveLength(1);
});

test('an abort closes the connection at once and rejects with its reason', async () => {
  const { provider, upstream } = await setUp([[sseHead, { delta: { content: 'a' } }, { hang: true }]]);
  const stop = new AbortController();
  const reason = new Error('cancelled by the user');
  const end = provider.stream(question, () => stop.abort(reason), stop.signal);
  await expect(end).rejects.toBe(reason);
  await upstream.requests[0]?.closedEarly;
  await expect(provider.stream(question, () => {}, stop.signal)).rejects.toBe(reason);
  expect(upstream.requests).toHaveLength(1);
});

test('an abort also ends a wait for the sink', async () => {
  const { provider, upstream } = await setUp([[sseHead, { delta: { content: 'a' } }, { hang: true }]]);
  const stop = new AbortController();
  const end = provider.stream(
    question,
    () => {
      setImmediate(() => stop.abort(new Error('enough')));
      return new Promise<void>(() => {});
    },
    stop.signal,
  );
  await expect(end).rejects.toThrow('enough');
  await upstream.requests[0]?.closedEarly;
});

test('uses a connection again', async () => {
  const { upstream, ask } = await setUp([answer(['a'])]);
  await ask();
  await new Promise((resolve) => setTimeout(resolve, 30));
  await ask();
  expect(upstream.requests.map(({ headers }) => headers.connection)).toEqual(['keep-alive', 'keep-alive']);
});
