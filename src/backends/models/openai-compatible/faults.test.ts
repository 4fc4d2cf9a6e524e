import { afterEach, expect, test } from 'vitest';
import { answer, chunkLine, refuse, type Step, startUpstream, type Upstream } from '../../../../test/support/upstream.ts';
import { type ModelChunk, ModelError, type ModelRequest } from '../../../core/ports/model-provider.ts';
import { createOpenAiCompatibleProvider, type OpenAiCompatibleOptions } from './provider.ts';

const KEY = 'secret-key-of-this-server';
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

/** Asks once against the scripts and tells everything a caller can see of it. */
async function outcome(scripts: readonly (readonly Step[])[], options: Partial<OpenAiCompatibleOptions> = {}) {
  const upstream = await startUpstream(...scripts);
  open.push(upstream);
  const sleeps: number[] = [];
  const clock = { now: () => 0, sleep: async (ms: number) => void sleeps.push(ms) };
  const provider = createOpenAiCompatibleProvider({ baseUrl: upstream.baseUrl, apiKey: KEY, clock, random: () => 0.5, ...options });
  let text = '';
  const sink = (chunk: ModelChunk) => {
    if (chunk.type === 'text') text += chunk.text;
  };
  const error = await provider.stream(question, sink, never).then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error !== null && !(error instanceof ModelError)) throw error;
  return { upstream, text, sleeps, code: error?.code ?? null, message: error?.message ?? '', tries: upstream.requests.length };
}

const overloaded = refuse(503, 'busy');

test.each([
  [400, 'upstream_rejected', 1],
  [401, 'upstream_unauthorized', 1],
  [403, 'upstream_unauthorized', 1],
  [404, 'upstream_rejected', 1],
  [408, 'upstream_timeout', 3],
  [409, 'upstream_unavailable', 3],
  [429, 'upstream_rate_limited', 3],
  [500, 'upstream_unavailable', 3],
  [501, 'upstream_unavailable', 1],
  [504, 'upstream_timeout', 3],
  [307, 'upstream_rejected', 1],
] as const)('status %i becomes %s after %i tries', async (status, code, tries) => {
  const seen = await outcome([refuse(status, 'why', { location: 'http://127.0.0.1:1/' })]);
  expect(seen).toMatchObject({ code, tries, text: '' });
});

test('tries again with growing waits until it works', async () => {
  const seen = await outcome([refuse(500, 'x'), overloaded, answer(['fine'])]);
  expect(seen).toMatchObject({ code: null, text: 'fine', sleeps: [150, 300] });
});

test('waits as long as Retry-After asks, and gives up when that is more than 20 seconds', async () => {
  expect(await outcome([refuse(429, 'x', { 'retry-after': '2' }), answer(['fine'])])).toMatchObject({ text: 'fine', sleeps: [2000] });
  const date = 'Thu, 01 Jan 1970 00:00:05 GMT';
  expect(await outcome([refuse(503, 'x', { 'retry-after': date }), answer(['fine'])])).toMatchObject({ text: 'fine', sleeps: [5000] });
  expect(await outcome([refuse(429, 'x', { 'retry-after': '21' })])).toMatchObject({ code: 'upstream_rate_limited', tries: 1, sleeps: [] });
});

test('tries again when the connection dies before the first chunk', async () => {
  expect(await outcome([[{ cut: true }], [sseHead, { raw: ': hi\n\n' }, { cut: true }], answer(['fine'])])).toMatchObject({
    text: 'fine',
    tries: 3,
  });
  expect(await outcome([[{ cut: true }]])).toMatchObject({ code: 'upstream_unavailable', tries: 3 });
});

test('nobody listens: unavailable, and no address in the message', async () => {
  const upstream = await startUpstream([]);
  await upstream.close();
  const seen = await outcome([[]], { baseUrl: upstream.baseUrl });
  expect(seen).toMatchObject({ code: 'upstream_unavailable', sleeps: [150, 300] });
  expect(seen.message).toBe('The model provider cannot be reached.');
});

test.each([
  ['cut', { cut: true }],
  ['ended without an end', { end: true }],
] as const)('an answer that is %s after its first token is interrupted and never asked for again', async (_name, last) => {
  const seen = await outcome([
    [sseHead, { delta: { content: 'one ' } }, { delta: { content: 'two' } }, { raw: 'data: {"choi' }, last],
    answer(['other']),
  ]);
  expect(seen).toMatchObject({ code: 'upstream_interrupted', text: 'one two', tries: 1 });
});

test('an answer with a finish_reason is whole, however its connection ends', async () => {
  const whole: Step[] = [sseHead, { delta: { content: 'a' }, finish: 'stop' }];
  expect(await outcome([[...whole, { end: true }]])).toMatchObject({ code: null, text: 'a' });
  expect(await outcome([[...whole, { waitMs: 20 }, { cut: true }]])).toMatchObject({ code: null, text: 'a' });
  expect(await outcome([[...whole, { hang: true }]], { timeouts: { idleMs: 50 } })).toMatchObject({ code: null, text: 'a' });
});

test('does not wait for a connection that stays open behind [DONE]', async () => {
  const seen = await outcome([[sseHead, { delta: { content: 'a' } }, { raw: 'data: [DONE]\n\n' }, { hang: true }]]);
  expect(seen).toMatchObject({ code: null, text: 'a' });
  await seen.upstream.requests[0]?.closedEarly;
});

test.each([
  ['broken JSON', [sseHead, { delta: { content: 'a' } }, { raw: 'data: {"choices":[{\n\n' }, { hang: true }]],
  ['a JSON string', [sseHead, { delta: { content: 'a' } }, { raw: 'data: "x"\n\n' }, { hang: true }]],
] as const)('%s in the stream is malformed', async (_name, script) => {
  const seen = await outcome([script]);
  expect(seen).toMatchObject({ code: 'upstream_malformed', text: 'a', tries: 1 });
  await seen.upstream.requests[0]?.closedEarly;
});

test('a page or compressed bytes instead of an answer are malformed', async () => {
  const page: Step[] = [{ head: 200, headers: { 'content-type': 'text/html' } }, { raw: '<p>Welcome</p>' }, { end: true }];
  expect(await outcome([page])).toMatchObject({ code: 'upstream_malformed', tries: 1 });
  const zipped: Step[] = [
    { head: 200, headers: { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' } },
    { raw: 'x' },
    { end: true },
  ];
  expect(await outcome([zipped])).toMatchObject({ code: 'upstream_malformed', tries: 1 });
});

test('a line of 10 MB is refused when its first megabyte has come', async () => {
  const seen = await outcome([[sseHead, { raw: `data: ${'x'.repeat(10_000_000)}` }, { end: true }]]);
  expect(seen).toMatchObject({ code: 'upstream_too_long', tries: 1 });
  await seen.upstream.requests[0]?.closedEarly;
});

test('an answer beyond the limit is cut off there', async () => {
  const seen = await outcome([[sseHead, ...Array.from({ length: 50 }, () => ({ delta: { content: 'x'.repeat(100) } })), { hang: true }]], {
    limits: { answerCharacters: 1000 },
  });
  expect(seen).toMatchObject({ code: 'upstream_too_long', text: 'x'.repeat(1000), tries: 1 });
  await seen.upstream.requests[0]?.closedEarly;
});

test('an error body without end is not read to its end', async () => {
  const body = JSON.stringify({ error: { message: 'm'.repeat(200_000) } });
  const seen = await outcome([[{ head: 400, headers: { 'content-type': 'application/json' } }, { raw: body }, { hang: true }]]);
  expect(seen).toMatchObject({ code: 'upstream_rejected', message: 'The model provider rejected the request.' });
  await seen.upstream.requests[0]?.closedEarly;
});

test.each([
  ['no answer at all', [{ hang: true }], { firstByteMs: 400 }],
  ['a head alone', [sseHead, { hang: true }], { firstByteMs: 400 }],
  ['silence after a token', [sseHead, { delta: { content: 'a' } }, { hang: true }], { idleMs: 50 }],
  [
    'tokens without end',
    [sseHead, ...Array.from({ length: 200 }, () => [{ raw: chunkLine({ content: '.' }) }, { waitMs: 10 }]).flat()],
    { totalMs: 150 },
  ],
] as const)('%s is a timeout, once', async (_name, script, timeouts) => {
  const seen = await outcome([script], { timeouts });
  expect(seen).toMatchObject({ code: 'upstream_timeout', tries: 1 });
  await seen.upstream.requests[0]?.closedEarly;
});

test('comments keep a slow answer alive', async () => {
  const slow = Array.from({ length: 8 }, (): Step[] => [{ raw: ': working\n\n' }, { waitMs: 50 }]).flat();
  const seen = await outcome([[sseHead, ...slow, ...answer(['late']).slice(1)]], { timeouts: { idleMs: 300, firstByteMs: 300 } });
  expect(seen).toMatchObject({ code: null, text: 'late' });
});

test('an error inside the stream ends the answer in its own words', async () => {
  const broken: Step = { raw: `data: ${JSON.stringify({ error: { message: 'engine is out of memory', code: 500 } })}\n\n` };
  const seen = await outcome([[sseHead, { delta: { content: 'a' } }, broken, { hang: true }]]);
  expect(seen).toMatchObject({
    code: 'upstream_unavailable',
    text: 'a',
    tries: 1,
    message: 'The model provider has a problem: engine is out of memory',
  });
});

test.each([
  ['as a status', refuse(401, 'The key of Acme Inc., abc to xyz, is wrong')],
  ['as another status', refuse(403, 'Acme Inc. is suspended')],
  [
    'in the stream',
    [sseHead, { raw: `data: ${JSON.stringify({ error: { message: 'abc to xyz', type: 'authentication_error' } })}\n\n` }, { hang: true }],
  ],
] as const)("what a provider says against our credentials %s is nobody else's business", async (_where, steps) => {
  expect((await outcome([steps])).message).toBe("The model provider refused this server's credentials.");
});

test('a message shows no key and no address', async () => {
  const words = `Incorrect API key: ${KEY}, sk-proj-abc****xyz, abc*****xyz, org-1a2B3c, Bearer abcdef at https://user:pw@127.0.0.1/v1?key=1\nhost 127.0.0.1 ${'and so on '.repeat(60)}`;
  const { message } = await outcome([refuse(400, words)]);
  expect(message).toMatch(
    /^The model provider rejected the request: Incorrect API key: \[redacted\], \[redacted\], \[redacted\], \[redacted\], \[redacted\] at \[redacted\] host \[redacted\] and so/,
  );
  expect(message.length).toBeLessThan(360);
});
