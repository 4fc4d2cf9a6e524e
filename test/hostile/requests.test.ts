import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exchange, exchangeBytes, headerOf, type RawRequest } from './byte-exchange.ts';
import { shapeProblem } from './error-shapes.ts';
import { expectRefusals, type Refusal } from './refusals.ts';
import { fill, type Route } from './routes.ts';
import { startTarget, type Target } from './target.ts';

let target: Target;
let authorization: readonly [string, string];

beforeAll(async () => {
  target = await startTarget();
  authorization = ['authorization', `Bearer ${await target.app.token('ann')}`];
});

afterAll(async () => {
  await target.close();
});

const send = (request: RawRequest) => exchange(target.app.url, request);
const get = (path: string, headers: RawRequest['headers'] = []) => send({ method: 'GET', path, headers: [authorization, ...headers] });

/** Whether a route's pattern fits an address that another route has by name. */
function covers(route: Route, path: string): boolean {
  return new RegExp(`^${route.path.replace(/:\w+/g, '[^/]+')}$`).test(path);
}

describe('a method that an address does not answer', () => {
  const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND', 'REPORT'];

  test('is 405 and says which ones it does', async () => {
    const paths = [...new Set(target.routes.map(({ path }) => path))];
    const cases = paths.flatMap((path) => {
      const routes = target.routes.filter((route) => route.path === path);
      const answered = target.routes
        .filter((route) => route.dialect === routes[0]?.dialect && covers(route, path))
        .map(({ method }) => method);
      const filled = fill(routes[0] ?? expect.fail('no route'), { ...target.ann });
      return methods
        .filter((method) => !answered.includes(method))
        .map(
          (method): Refusal => ({
            name: path,
            dialect: routes[0]?.dialect ?? '',
            statuses: [405],
            request: { method, path: filled, headers: [authorization] },
          }),
        );
    });
    await expectRefusals(target.app.url, cases, (answer) => (headerOf(answer, 'allow') ? null : 'does not say Allow'));
  });

  test('cannot be smuggled in a header', async () => {
    const path = `/polylogue/v1/threads/${target.ann.thread_id}`;
    await get(path, [['x-http-method-override', 'DELETE']]);
    expect((await get(path)).status).toBe(200);
  });

  test('is refused when HTTP does not know it', async () => {
    for (const line of ['CONNECT /v1/chat HTTP/1.1', 'get / HTTP/1.1', 'BREW / HTTP/1.1', 'GET / HTTP/9.9', '\0\0\0']) {
      const answer = await exchangeBytes(target.app.url, Buffer.from(`${line}\r\nHost: localhost\r\n\r\n`));
      expect([0, 400], line).toContain(answer.status);
    }
  });
});

describe('an address', () => {
  const odd = [
    '/%00',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/../../etc/passwd',
    '/.git/config',
    '/polylogue//v1/threads',
    '//polylogue/v1/threads',
    '/polylogue/v1/threads%2f',
    '/polylogue/v1/threads;x=1',
    '/polylogue/v1/nothing',
    '/POLYLOGUE/V1/THREADS',
    '/levia/chat/nothing/here',
    '/levia/chat%00',
    '/v1/chat/stream.',
    '/v1/chat/sessions/1/2',
    '/v2/chat/stream',
    '/__proto__',
    '/constructor',
    `/${'a'.repeat(10_000)}`,
    `/polylogue/v1/${'a/'.repeat(4_000)}`,
  ];

  test('that is none is 404 in native words, with and without a credential', () =>
    expectRefusals(
      target.app.url,
      odd.flatMap((path) =>
        ['GET', 'POST', 'DELETE'].flatMap((method) =>
          [[authorization], []].map(
            (headers): Refusal => ({ name: path.slice(0, 60), dialect: '', statuses: [404], request: { method, path, headers } }),
          ),
        ),
      ),
    ));

  test.each(['/%zz', '/%', '/%c0%ae', '/%ff', '/polylogue/v1/threads/%zz', '/levia/chat/stream/%', '/v1/chat/sessions/%e0%80'])(
    'that cannot be decoded is refused: %s',
    (path) =>
      expectRefusals(
        target.app.url,
        ['GET', 'DELETE'].map(
          (method): Refusal => ({ name: path, dialect: '', statuses: [404], request: { method, path, headers: [authorization] } }),
        ),
      ),
  );

  test('in absolute form reaches no other host', async () => {
    const answer = await send({ method: 'GET', path: 'http://169.254.169.254/latest/meta-data', headers: [] });
    expect([400, 404]).toContain(answer.status);
  });
});

describe('headers', () => {
  const anywhere = () => ['/polylogue/v1/threads', '/levia/chat/request/ann', '/health'];

  test.each([
    ['named __proto__', [['__proto__', 'x']]],
    ['named constructor', [['constructor', 'x']]],
    [
      'named toString, twice',
      [
        ['toString', 'x'],
        ['toString', 'y'],
      ],
    ],
  ] as const)('%s are taken as any other', async (...[, headers]) => {
    for (const path of anywhere()) expect([200, 404]).toContain((await get(path, headers)).status);
  });

  test.each([
    ['of 17,000 bytes', [['x-long', 'x'.repeat(17_000)]]],
    ['of 2,001 fields', Array.from({ length: 2_001 }, (_, index) => [`x-${index}`, 'value'] as const)],
  ] as const)('%s are 431', async (...[, headers]) => {
    for (const path of anywhere()) expect(await get(path, headers)).toMatchObject({ status: 431 });
  });

  test.each([
    ['a NUL', 'x-a: a\0b'],
    ['a folded line', 'x-a: a\r\n b'],
    ['a bare carriage return', 'x-a: a\rb'],
    ['a space before the colon', 'x-a : b'],
    ['no colon', 'x-a'],
    ['an empty name', ': b'],
  ])('with %s are 400', async (_name, line) => {
    const answer = await exchangeBytes(target.app.url, Buffer.from(`GET /health HTTP/1.1\r\nHost: localhost\r\n${line}\r\n\r\n`));
    expect(answer.status).toBe(400);
    expect(shapeProblem('', answer)).toBeNull();
  });

  test('cannot choose a malformed request id', async () => {
    for (const id of ['a b', 'x'.repeat(65), '<script>', '']) {
      expect(headerOf(await get('/health', [['x-request-id', id]]), 'x-request-id')).toMatch(/^[\w-]{36}$/);
    }
  });
});

test('after all this nothing is stored, changed or broken', async () => {
  expect((await target.app.send('/health')).status).toBe(200);
  expect(target.app.log()).not.toMatch(/"level":50|request failed/);
  expect(await target.stopAndCompare()).toEqual([]);
});
