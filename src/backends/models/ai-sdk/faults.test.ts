import { afterEach, describe, expect, test } from 'vitest';
import { type Step, startUpstream, type Upstream } from '../../../../test/support/upstream.ts';
import { questionFor, STREAM_HEAD, VENDORS, vendorAnswer, vendorRefusal } from '../../../../test/support/vendor-answers.ts';
import { type ModelChunk, ModelError } from '../../../core/ports/model-provider.ts';
import type { AiSdkOptions } from './provider.ts';

const KEY = 'secret-key-of-this-server';

let open: Upstream[] = [];
afterEach(async () => {
  await Promise.all(open.map((upstream) => upstream.close()));
  open = [];
});

describe.each(VENDORS)('$name', (vendor) => {
  const answered = vendorAnswer(vendor, ['fine']);
  const started: Step[] = [STREAM_HEAD, { raw: vendor.opening }, { raw: vendor.text('one ') }];

  async function provide(scripts: readonly (readonly Step[])[], options: Partial<AiSdkOptions> = {}) {
    const upstream = await startUpstream(...scripts);
    open.push(upstream);
    const sleeps: number[] = [];
    const clock = { now: () => 0, sleep: async (ms: number) => void sleeps.push(ms) };
    const own = { name: vendor.name, baseUrl: upstream.baseUrl, apiKey: KEY, clock, random: () => 0.5 };
    return { upstream, sleeps, provider: await vendor.create({ ...own, ...options }) };
  }

  /** Asks once against the scripts and tells everything a caller can see of it. */
  async function outcome(scripts: readonly (readonly Step[])[], options: Partial<AiSdkOptions> = {}) {
    const { upstream, sleeps, provider } = await provide(scripts, options);
    let text = '';
    const sink = (chunk: ModelChunk) => {
      if (chunk.type === 'text') text += chunk.text;
    };
    const error = await provider.stream(questionFor(vendor), sink, new AbortController().signal).then(
      () => null,
      (reason: unknown) => reason,
    );
    if (error !== null && !(error instanceof ModelError)) throw error;
    return { upstream, text, sleeps, error, code: error?.code ?? null, message: error?.message ?? '', tries: upstream.requests.length };
  }

  test.each([
    [400, 'upstream_rejected', 1],
    [401, 'upstream_unauthorized', 1],
    [403, 'upstream_unauthorized', 1],
    [404, 'upstream_rejected', 1],
    [429, 'upstream_rate_limited', 3],
    [500, 'upstream_unavailable', 3],
    [503, 'upstream_unavailable', 3],
    [504, 'upstream_timeout', 3],
    [529, 'upstream_unavailable', 3],
    [302, 'upstream_rejected', 1],
  ] as const)('status %i becomes %s after %i tries', async (status, code, tries) => {
    const seen = await outcome([vendorRefusal(vendor, status, { message: 'why not', headers: { location: 'http://127.0.0.1:1/' } })]);
    expect(seen).toMatchObject({ code, tries, text: '' });
    expect(seen.message).toMatch(code === 'upstream_unauthorized' ? /credentials\.$/ : /: why not$/);
  });

  test('tries again with growing waits, or as long as the provider asks', async () => {
    const busy = vendorRefusal(vendor, 500);
    expect(await outcome([busy, busy, answered])).toMatchObject({ code: null, text: 'fine', sleeps: [150, 300] });
    const later = vendorRefusal(vendor, 429, { headers: { 'retry-after': '2' } });
    expect(await outcome([later, answered])).toMatchObject({ text: 'fine', sleeps: [2000] });
    const muchLater = vendorRefusal(vendor, 429, { headers: { 'retry-after': '21' } });
    expect(await outcome([muchLater])).toMatchObject({ code: 'upstream_rate_limited', tries: 1 });
  });

  test('tries again when the connection dies before the first chunk', async () => {
    const died: Step[] = [STREAM_HEAD, { raw: ': hi\n\n' }, { cut: true }];
    expect(await outcome([[{ cut: true }], died, answered])).toMatchObject({ text: 'fine', tries: 3 });
    expect(await outcome([[{ cut: true }]])).toMatchObject({ code: 'upstream_unavailable', tries: 3 });
    expect(await outcome([died])).toMatchObject({ code: 'upstream_interrupted', tries: 3 });
  });

  test('nobody listens: unavailable, and no address in the message', async () => {
    const gone = await startUpstream([]);
    await gone.close();
    const seen = await outcome([[]], { baseUrl: gone.baseUrl });
    expect(seen).toMatchObject({ code: 'upstream_unavailable', sleeps: [150, 300] });
    expect(seen.message).toBe('The model provider cannot be reached.');
  });

  test.each([
    ['cut', { cut: true }],
    ['ended without an end', { end: true }],
  ] as const)('an answer that is %s keeps what came and is never asked for again', async (_name, last) => {
    const seen = await outcome([[...started, { raw: vendor.text('two') }, { raw: 'data: {"ty' }, last], answered]);
    expect(seen).toMatchObject({ code: 'upstream_interrupted', text: 'one two', tries: 1 });
  });

  test('an answer that has ended is whole, however its connection goes on', async () => {
    const whole: Step[] = [...started, { raw: vendor.ending }];
    expect(await outcome([[...whole, { end: true }]])).toMatchObject({ code: null, text: 'one ' });
    expect(await outcome([[...whole, { cut: true }]])).toMatchObject({ code: null, text: 'one ' });
  });

  test('an answer that the provider itself stopped says so', async () => {
    const ending = vendor.ending.replace('end_turn', 'refusal').replace('STOP', 'SAFETY');
    const { provider } = await provide([[...started, { raw: ending }, { end: true }]]);
    const end = await provider.stream(questionFor(vendor), () => {}, new AbortController().signal);
    expect(end).toEqual({ reason: 'content_filter', usage: { input_tokens: 10, output_tokens: 5 } });
  });

  test('characters and lines that any two reads share are put together', async () => {
    const text = 'a€👋\n\n';
    const bytes = [...Buffer.from(vendor.opening + vendor.text(text) + vendor.ending)].map((byte): Step => ({ raw: Uint8Array.of(byte) }));
    expect(await outcome([[STREAM_HEAD, ...bytes, { end: true }]])).toMatchObject({ code: null, text });
  });

  test('an error inside the stream ends the answer in its own words', async () => {
    const broken = { raw: vendor.error('overloaded', 'engine is out of memory') };
    const seen = await outcome([[...started, broken, { hang: true }], answered]);
    expect(seen).toMatchObject({ code: 'upstream_unavailable', text: 'one ', tries: 1 });
    expect(seen.message).toBe('The model provider has a problem: engine is out of memory');
    await seen.upstream.requests[0]?.closedEarly;
  });

  test('an error instead of the first chunk is worth another try', async () => {
    const full: Step[] = [STREAM_HEAD, { raw: vendor.error('overloaded', 'busy') }, { end: true }];
    expect(await outcome([full, answered])).toMatchObject({ code: null, text: 'fine', tries: 2 });
    const limited: Step[] = [STREAM_HEAD, { raw: vendor.error('rate_limited', 'slower') }, { end: true }];
    expect(await outcome([limited])).toMatchObject({ code: 'upstream_rate_limited', tries: 3 });
  });

  test.each([
    ['broken JSON', 'data: {"type":\n\n'],
    ['a JSON string', 'data: "x"\n\n'],
  ])('%s in the stream is malformed, and nothing of it is kept', async (_name, raw) => {
    const seen = await outcome([[...started, { raw: raw.replace('type', 'canary') }, { hang: true }]]);
    expect(seen).toMatchObject({ code: 'upstream_malformed', text: 'one ', tries: 1 });
    expect(JSON.stringify([seen.error?.cause, String(seen.error?.cause), seen.error?.stack])).not.toContain('canary');
    await seen.upstream.requests[0]?.closedEarly;
  });

  test.each(['text/html', 'application/json'])('%s instead of a stream is malformed', async (type) => {
    const page: Step[] = [{ head: 200, headers: { 'content-type': type } }, { raw: '{}' }, { end: true }];
    expect(await outcome([page])).toMatchObject({ code: 'upstream_malformed', tries: 1 });
  });

  test('an event of 10 MB is refused when its first megabyte has come, in one line or in many', async () => {
    for (const raw of [`data: ${'x'.repeat(10_000_000)}`, 'data: xxxxxxxxx\n'.repeat(600_000)]) {
      const seen = await outcome([[STREAM_HEAD, { raw }, { end: true }]]);
      expect(seen).toMatchObject({ code: 'upstream_too_long', tries: 1 });
      await seen.upstream.requests[0]?.closedEarly;
    }
  });

  test('an answer beyond the limit is cut off there', async () => {
    const long = Array.from({ length: 50 }, (): Step => ({ raw: vendor.text('x'.repeat(100)) }));
    const script = [STREAM_HEAD, { raw: vendor.opening }, ...long, { hang: true }] as const;
    const seen = await outcome([script], { limits: { answerCharacters: 1000 } });
    expect(seen).toMatchObject({ code: 'upstream_too_long', text: 'x'.repeat(1000), tries: 1 });
    await seen.upstream.requests[0]?.closedEarly;
  });

  test.each([
    ['no answer at all', [{ hang: true }], { firstByteMs: 400 }],
    ['a head alone', [STREAM_HEAD, { hang: true }], { firstByteMs: 400 }],
    ['silence after a token', [...started, { hang: true }], { idleMs: 400 }],
    [
      'tokens without end',
      [...started, ...Array.from({ length: 200 }, (): Step[] => [{ raw: vendor.text('.') }, { waitMs: 10 }]).flat()],
      { totalMs: 800 },
    ],
  ] as const)('%s is a timeout, once', async (_name, script, timeouts) => {
    const seen = await outcome([script], { timeouts });
    expect(seen).toMatchObject({ code: 'upstream_timeout', tries: 1 });
    await seen.upstream.requests[0]?.closedEarly;
  });

  test('an abort closes the connection at once and rejects with its reason', async () => {
    const { provider, upstream } = await provide([[...started, { hang: true }]]);
    const stop = new AbortController();
    const reason = new Error('cancelled by the user');
    await expect(provider.stream(questionFor(vendor), () => stop.abort(reason), stop.signal)).rejects.toBe(reason);
    await upstream.requests[0]?.closedEarly;
    await expect(provider.stream(questionFor(vendor), () => {}, stop.signal)).rejects.toBe(reason);
    expect(upstream.requests).toHaveLength(1);
  });

  test('an abort also ends a wait for the sink', async () => {
    const { provider, upstream } = await provide([[...started, { hang: true }]]);
    const stop = new AbortController();
    const sink = () => {
      setImmediate(() => stop.abort(new Error('enough')));
      return new Promise<void>(() => {});
    };
    await expect(provider.stream(questionFor(vendor), sink, stop.signal)).rejects.toThrow('enough');
    await upstream.requests[0]?.closedEarly;
  });

  test('an error of the sink ends the answer and closes the connection', async () => {
    const { provider, upstream } = await provide([[...started, { hang: true }]]);
    const fault = new Error('store is gone');
    await expect(provider.stream(questionFor(vendor), () => Promise.reject(fault), new AbortController().signal)).rejects.toBe(fault);
    await upstream.requests[0]?.closedEarly;
    expect(upstream.requests).toHaveLength(1);
  });

  test('silence that the sink asked for is no timeout, and holds the source back', async () => {
    const { provider } = await provide([[...started, { waitMs: 10 }, { raw: vendor.text('two') }, { raw: vendor.ending }, { end: true }]], {
      timeouts: { idleMs: 400 },
    });
    let waiting = 0;
    let most = 0;
    const sink = async () => {
      waiting += 1;
      most = Math.max(most, waiting);
      await new Promise((resolve) => setTimeout(resolve, 900));
      waiting -= 1;
    };
    const end = await provider.stream(questionFor(vendor), sink, new AbortController().signal);
    expect(end.reason).toBe('stop');
    expect(most).toBe(1);
  });

  test('a source that is faster than the sink is paused in its socket', async () => {
    const pieces = Array.from({ length: 400 }, (): Step => ({ raw: vendor.text('x'.repeat(50_000)) }));
    const { provider, upstream } = await provide(
      [[STREAM_HEAD, { raw: vendor.opening }, ...pieces, { raw: vendor.ending }, { end: true }]],
      {
        limits: { answerCharacters: 100_000_000 },
      },
    );
    let bytes = 0;
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const sink = (chunk: ModelChunk) => {
      if (chunk.type === 'text') bytes += chunk.text.length;
      return gate;
    };
    const end = provider.stream(questionFor(vendor), sink, new AbortController().signal);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(bytes).toBe(50_000);
    expect(upstream.sentBytes()).toBeLessThan(12_000_000);
    release();
    await end;
    expect(bytes).toBe(20_000_000);
  });

  test('uses a connection again', async () => {
    const { provider, upstream } = await provide([answered]);
    await provider.stream(questionFor(vendor), () => {}, new AbortController().signal);
    await new Promise((resolve) => setTimeout(resolve, 30));
    await provider.stream(questionFor(vendor), () => {}, new AbortController().signal);
    expect(new Set(upstream.ports()).size).toBe(1);
  });

  test.each([401, 403])("what a provider says with %d against our credentials is nobody else's business", async (status) => {
    const { message } = await outcome([
      vendorRefusal(vendor, status, { message: `The key of Acme Inc., ${KEY.slice(0, 6)} to ${KEY.slice(-4)}, is wrong` }),
    ]);
    expect(message).toBe("The model provider refused this server's credentials.");
  });

  test('neither a message nor an error holds the key or the address', async () => {
    const words = `Incorrect API key: ${KEY}, AIzaSyD-0123456789abcdef, sk-ant-api03-abc at https://user:pw@127.0.0.1/v1?key=1\nhost 127.0.0.1`;
    const { error, message, upstream } = await outcome([vendorRefusal(vendor, 400, { message: words })]);
    expect(message).toMatch(/request: Incorrect API key: \[redacted\], \[redacted\], \[redacted\] at \[redacted\] host \[redacted\]$/);
    expect(upstream.requests[0]?.headers[vendor.name === 'anthropic' ? 'x-api-key' : 'x-goog-api-key']).toBe(KEY);
    for (let shown: unknown = error; shown instanceof Error; shown = shown.cause) {
      const all = JSON.stringify([shown.stack, shown.message, Object.entries(shown)]);
      for (const secret of [KEY, '127.0.0.1']) expect(all).not.toContain(secret);
    }
  });
});
