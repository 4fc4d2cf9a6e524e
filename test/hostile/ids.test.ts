import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEVELOPMENT_KEY } from '../support/app.ts';
import { exchange, type RawRequest } from './byte-exchange.ts';
import { shapeProblem } from './error-shapes.ts';
import { exampleBodies } from './examples.ts';
import { expectRefusals, type Refusal } from './refusals.ts';
import { fill, needsServerKey, type Route, slotsOf } from './routes.ts';
import { startTarget, type Target } from './target.ts';

const JSON_TYPE = ['content-type', 'application/json'] as const;

let target: Target;
let authorization: readonly [string, string];

beforeAll(async () => {
  target = await startTarget();
  authorization = ['authorization', `Bearer ${await target.app.token('ann')}`];
});

afterAll(async () => {
  await target.close();
});

/** Ann's token where a user may come in, else a server's key. */
const authorizationFor = (route: Route) =>
  needsServerKey(route) ? (['authorization', `Bearer ${DEVELOPMENT_KEY}`] as const) : authorization;

const send = (request: RawRequest) => exchange(target.app.url, request);
const get = (path: string, headers: RawRequest['headers'] = []) => send({ method: 'GET', path, headers: [authorization, ...headers] });

const badCursors = [
  '-1',
  '1e3',
  '01',
  '1.0',
  '+1',
  ' ',
  '0x1',
  '1,2',
  '1;2',
  'NaN',
  '9'.repeat(17),
  '1.',
  '.1',
  '1.1.1',
  'null',
  '[1]',
  '٣',
  'x'.repeat(8_000),
];

describe('a cursor', () => {
  test('that is none is refused by every stream that resumes', async () => {
    const streams = target.routes.filter(({ method, key }) => method === 'GET' && /(events|stream\/:request_id)$/.test(key));
    expect(streams.length).toBeGreaterThanOrEqual(3);
    for (const route of streams) {
      const path = fill(route, { ...target.ann });
      for (const cursor of badCursors) {
        const byHeader = await get(path, [['last-event-id', Buffer.from(cursor).toString('latin1')]]);
        const refused = route.dialect === 'levia' ? [200, 'data: {"type":"error","data":{"error":"Invalid Last-Event-ID"}}\n\n'] : [400];
        expect([byHeader.status, byHeader.body].slice(0, refused.length), `${path} ${cursor.slice(0, 20)}`).toEqual(refused);
        if (route.dialect !== 'native') continue;
        const byQuery = await get(`${path}?after=${encodeURIComponent(cursor)}`);
        expect([byQuery.status, shapeProblem('native', byQuery)], cursor.slice(0, 20)).toEqual([400, null]);
      }
    }
  });

  test('or any other query that is malformed is refused by every list', () => {
    const queries: readonly (readonly [string, readonly number[]])[] = [
      ...['0', '101', '-1', '1e1', '1.0', ' 1', '', '0x10', 'NaN', '2147483648'].map(
        (limit) => [`limit=${encodeURIComponent(limit)}`, [422]] as const,
      ),
      ...['x', '%00', btoa('[1]').slice(1), btoa('{"a":1}'), btoa('[-1,"k"]'), btoa('["a","b"]')].map(
        (cursor) => [`cursor=${cursor}`, [400, 422]] as const,
      ),
      ['limit=1&limit=2', [422]],
      ['limit[]=1&limit[]=2&limit=', [422]],
    ];
    const paths = ['/polylogue/v1/threads', `/polylogue/v1/threads/${target.ann.thread_id}/messages`];
    const threads = [
      'before=2024-02-31',
      'after=x',
      'archived=yes',
      'archived=1',
      `tag=${'x'.repeat(256)}`,
      `q=${'x'.repeat(10_000)}`,
      `q=${Array.from({ length: 65 }, (_, index) => `w${index}`).join('+')}`,
      'q=%00',
      'q=a&q=b',
      'tag=%00',
      'model=a&model=b',
      'before=0',
    ];
    const all = [
      ...paths.flatMap((path) => queries.map(([query, statuses]) => ({ path: `${path}?${query}`, statuses }))),
      ...threads.map((query) => ({ path: `${paths[0]}?${query}`, statuses: [422] })),
      ...['/polylogue/v1/prompts', `/polylogue/v1/prompts/${target.ann.prompt_uuid}/versions`].flatMap((path) =>
        queries.map(([query, statuses]) => ({ path: `${path}?${query}`, statuses })),
      ),
      { path: `${paths[1]}?branch=x`, statuses: [404] },
      { path: `${paths[1]}?branch=${'x'.repeat(65)}`, statuses: [422] },
      { path: `/polylogue/v1/runs/${target.ann.run_id}/events?wait=maybe`, statuses: [422] },
    ];
    return expectRefusals(
      target.app.url,
      all.map(
        ({ path, statuses }): Refusal => ({
          name: path.slice(0, 90),
          dialect: 'native',
          statuses,
          request: { method: 'GET', path, headers: [authorization] },
        }),
      ),
    );
  });
});

const badIds = [
  '0',
  '-1',
  '1e3',
  '1.0',
  ' 1',
  '0x10',
  '9007199254740993',
  'null',
  'undefined',
  '[]',
  '..',
  '%2e%2e',
  '{x}',
  "' OR 1=1--",
  '%',
  '_',
  '\0',
  '\u202e',
  'ｘ',
  'x'.repeat(1_000),
];
/** Near misses of an id that exists. */
const nearly = (id: string) =>
  id.includes('-')
    ? [`{${id}}`, `${id} `, `urn:uuid:${id}`, id.replaceAll('-', ''), `${id}0`, id.slice(1), `${id}\0`]
    : [`${id} `, `0${id}`, `+${id}`, `${id}.0`, `${id}e0`, `${id}n`, `${id}\0`];

describe('an id', () => {
  /** How a route answers an id that is malformed. */
  const refusal: Readonly<Record<string, readonly number[]>> = {
    native: [404],
    levia: [404],
    'chat-sessions': [422],
    graph: [404],
    'user-chat': [404],
  };

  test('that is malformed is refused in every path', () => {
    const cases = target.routes.flatMap((route) =>
      slotsOf(route)
        .filter((slot) => slot !== 'user_id' && slot !== 'request_id')
        .flatMap((slot) =>
          [...badIds, ...nearly(target.ann[slot as 'thread_id'])].map((id): Refusal => {
            const path = fill(route, { ...target.ann, [slot]: id });
            const body = JSON.stringify(exampleBodies(route, target.ann)[0] ?? {});
            const json = ['POST', 'PUT', 'PATCH'].includes(route.method);
            const request = {
              method: route.method,
              path,
              headers: [authorizationFor(route), ...(json ? [JSON_TYPE] : [])],
              ...(json && { body }),
            };
            return { name: `${route.path} ${id.slice(0, 40)}`, dialect: route.dialect, statuses: refusal[route.dialect] ?? [], request };
          }),
        ),
    );
    return expectRefusals(target.app.url, cases);
  });

  test('of a levia request that is malformed is an error frame, of a user it is nobody', async () => {
    for (const id of [...badIds, ...nearly(target.ann.run_id)]) {
      const stream = await get(`/levia/chat/stream/${encodeURIComponent(id)}`);
      expect([stream.status, stream.body], id).toEqual([
        200,
        'data: {"type":"error","data":{"error":"Invalid or expired request ID"}}\n\n',
      ]);
      const active = await get(`/levia/chat/request/${encodeURIComponent(id)}`);
      expect([active.status, shapeProblem('levia', active)], id).toEqual([404, null]);
    }
  });

  test('may be in capitals', async () => {
    expect((await get(`/polylogue/v1/threads/${target.ann.thread_id.toUpperCase()}`)).status).toBe(200);
  });

  test('of a user that cannot be one is refused for a key', async () => {
    const headers = [['authorization', 'Bearer dev-api-key-change-in-production']] as const;
    for (const user of ['x'.repeat(256), '\0', 'a\0b']) {
      const answer = await send({ method: 'GET', path: `/levia/chat/request/${encodeURIComponent(user)}`, headers });
      expect([answer.status, shapeProblem('levia', answer)], user.slice(0, 9)).toEqual([400, null]);
    }
    const named = await send({ method: 'GET', path: '/polylogue/v1/threads', headers: [...headers, ['x-user-id', 'x'.repeat(256)]] });
    expect([named.status, shapeProblem('native', named)]).toEqual([422, null]);
  });
});

test('after all this nothing is stored, changed or broken', async () => {
  expect((await target.app.send('/health')).status).toBe(200);
  expect(target.app.log()).not.toMatch(/"level":50|request failed/);
  expect(await target.stopAndCompare()).toEqual([]);
});
