import { afterEach, describe, expect, it } from 'vitest';
import { type FrontServer, startFrontServer } from '../../test/support/front-server.ts';
import { AppError } from '../core/errors.ts';
import type { RateState } from '../core/limits.ts';
import type { CredentialCarrier } from './authenticate.ts';
import { noteRate } from './rate-headers.ts';
import { visitOf } from './visit.ts';

let server: FrontServer | null = null;

afterEach(() => server?.close());

const authorization = 'Bearer jwt';
const state = (but: Partial<RateState> = {}): RateState => ({
  name: 'requests-per-minute',
  limit: 5,
  remaining: 3,
  resetMs: 41_001,
  ...but,
});

function headersOf(response: Response): (string | null)[] {
  return ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset', 'ratelimit', 'retry-after'].map((name) =>
    response.headers.get(name),
  );
}

async function serve(request: () => Promise<RateState | null>): Promise<FrontServer> {
  server = await startFrontServer({ limits: { request } });
  return server;
}

describe('an answer', () => {
  it('tells what is left, in seconds that are long enough', async () => {
    const { get } = await serve(async () => state());
    const response = await get('/door/who/1', { authorization });
    expect([response.status, headersOf(response)]).toEqual([200, ['5', '3', '42', '"requests-per-minute";r=3;t=42', null]]);
  });

  it('tells it at the head of a stream', async () => {
    const { get, streams } = await serve(async () => state());
    const response = await get('/door/stream', { authorization, origin: 'https://app.example' });
    expect(headersOf(response)).toEqual(['5', '3', '42', '"requests-per-minute";r=3;t=42', null]);
    expect(response.headers.get('access-control-expose-headers')).toContain('X-RateLimit-Reset');
    streams[0]?.end();
    await response.text();
  });

  it('tells nothing where there is no bound, and nothing to strangers', async () => {
    const { get } = await serve(async () => null);
    const nothing = [null, null, null, null, null];
    expect(headersOf(await get('/door/who/1', { authorization }))).toEqual(nothing);
    expect(headersOf(await get('/door/who/1'))).toEqual(nothing);
    expect(headersOf(await get('/nothing'))).toEqual(nothing);
  });

  it.each([
    [41_000, undefined, '41', '41'],
    [1, undefined, '1', '1'],
    [0, undefined, '1', '1'],
    [1_500, 7.2, '2', '8'],
  ])('that refuses says when to come back: %i ms', async (...[resetMs, retryAfterSeconds, reset, retryAfter]) => {
    const { get } = await serve(async () => {
      const rate = state({ remaining: 0, resetMs });
      throw new AppError('rate_limited', 'Too many requests.', { rate, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) });
    });
    const response = await get('/door/who/1', { authorization });
    expect([response.status, headersOf(response)]).toEqual([429, ['5', '0', reset, `"requests-per-minute";r=0;t=${reset}`, retryAfter]]);
    expect(await response.json()).toMatchObject({ status: 429, code: 'rate_limited' });
  });
});

describe('of several allowances', () => {
  const requests = state({ remaining: 3 });
  const messages = (remaining: number, resetMs = 1) => state({ name: 'messages-per-minute', remaining, resetMs });

  it.each([
    [requests, messages(2), 'messages-per-minute'],
    [requests, messages(3), 'messages-per-minute'],
    [requests, messages(4), 'requests-per-minute'],
    [requests, null, 'requests-per-minute'],
    [null, messages(4), 'messages-per-minute'],
    [state({ remaining: 0, resetMs: 9 }), messages(0, 8), 'requests-per-minute'],
    [state({ remaining: 0, resetMs: 8 }), messages(0, 9), 'messages-per-minute'],
  ])('the one that refuses first is told: %j, %j', (first, second, told) => {
    const request: Pick<CredentialCarrier, 'raw'> = { raw: { rawHeaders: [] } };
    visitOf(request).rate = first;
    noteRate(request, second);
    expect(visitOf(request).rate?.name).toBe(told);
  });
});
