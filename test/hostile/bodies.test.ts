import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEVELOPMENT_KEY } from '../support/app.ts';
import { type BadBody, badBodies, emptyHanded, wrongContentTypes } from './bodies.ts';
import { exchange, exchangeBytes, type RawRequest, requestBytes } from './byte-exchange.ts';
import { exampleBodies, exampleForm, jsonWith, type Known, mutationsOf, stringPaths } from './examples.ts';
import { type Mistake, statusOf } from './expected-status.ts';
import { isLegal } from './legal-changes.ts';
import { expectRefusals, type Refusal } from './refusals.ts';
import { fill, needsServerKey, type Route } from './routes.ts';
import { startTarget, type Target } from './target.ts';

const JSON_TYPE = ['content-type', 'application/json'] as const;
const MEGABYTE = 1_048_576;
const UNUSED = '0190ffff-0000-7000-8000-00000000dead';
const nobody = { thread_id: UNUSED, conversation_id: UNUSED, session_id: '4711', key_id: UNUSED };

let target: Target;
let token: string;

beforeAll(async () => {
  target = await startTarget();
  token = await target.app.token('ann');
});

afterAll(async () => {
  await target.close();
});

/** Ann's token where a user may come in, else a server's key. */
function authorizationFor(route: Route): readonly [string, string] {
  return ['authorization', `Bearer ${needsServerKey(route) ? DEVELOPMENT_KEY : token}`];
}

/** Ids of ann's, but of nobody where the route would delete. */
function known(route: Route): Known {
  return route.method === 'DELETE' ? { ...target.ann, ...nobody } : target.ann;
}

function requestTo(route: Route, request: Partial<RawRequest>): RawRequest {
  return {
    method: route.method,
    path: fill(route, { ...known(route) }),
    headers: [authorizationFor(route), JSON_TYPE],
    ...request,
  };
}

const reading = () => target.routes.filter(({ method }) => method !== 'GET');
/** Those whose bodies are JSON. */
const withBody = () => reading().filter((route) => exampleForm(route) === null);
const askingForFields = () => withBody().filter((route) => exampleBodies(route, target.ann).length > 0);
/** None of these asks for a field. */
const undemanding =
  /^(native (POST|PATCH) \/threads(\/:thread_id)?|(native PATCH|chat-sessions PUT) \/prompts\/:prompt_id|native PATCH \/agents\/:agent_id|chat-sessions POST \/prompts\/preview|graph POST (\/graph)?\/threads|user-chat POST \/conversations)$/;
const demanding = () => askingForFields().filter(({ key }) => !undemanding.test(key));
/** These make nothing, so that there is nothing to make twice. */
const making = () =>
  askingForFields().filter(
    ({ method, key }) => method === 'POST' && !/ POST \/(switch-model|prompts\/preview|sessions\/:session_id\/tags)$/.test(key),
  );

function attempt(route: Route, name: string, more: { mistake: Mistake; request: Partial<RawRequest> }): Refusal {
  return { name, dialect: route.dialect, statuses: [statusOf(route.dialect, more.mistake)], request: requestTo(route, more.request) };
}

const expectAllRefused = (refusals: readonly Refusal[]) => expectRefusals(target.app.url, refusals);
const tryAll = (routes: readonly Route[], bodies: readonly BadBody[]) =>
  routes.flatMap((route) => bodies.map(({ name, body, mistake }) => attempt(route, name, { mistake, request: { body } })));

describe('a bad body', () => {
  test('is refused by every route that reads one', () => expectAllRefused(tryAll(withBody(), badBodies)));

  test('without its fields is refused', () => expectAllRefused(tryAll(demanding(), emptyHanded)));

  test('that is missing is refused', () =>
    expectAllRefused(demanding().map((route) => attempt(route, 'no body', { mistake: 'not an object', request: {} }))));

  test('changes nothing of what a GET answers', async () => {
    const problems: string[] = [];
    for (const route of target.routes.filter(({ method }) => method === 'GET')) {
      const usual = await exchange(target.app.url, requestTo(route, { headers: [authorizationFor(route)] }));
      for (const { name, body } of [...badBodies, ...emptyHanded].filter((_, index) => index % 4 === 0)) {
        const answer = await exchange(target.app.url, requestTo(route, { body }));
        if (answer.status !== usual.status) problems.push(`${route.path} with ${name}: ${answer.status}, not ${usual.status}`);
      }
    }
    expect(problems).toEqual([]);
  });

  test('with another content type or encoding is refused', () =>
    expectAllRefused(
      withBody().flatMap((route) => [
        ...wrongContentTypes.map((type) =>
          attempt(route, `content type ${type}`, {
            mistake: 'content type',
            request: { body: '{}', headers: [authorizationFor(route), ...(type === '' ? [] : [['content-type', type] as const])] },
          }),
        ),
        attempt(route, 'two content types', {
          mistake: 'content type',
          request: { body: '{}', headers: [authorizationFor(route), ['content-type', 'text/plain'], JSON_TYPE] },
        }),
        attempt(route, 'gzip', {
          mistake: 'content type',
          request: { body: '{}', headers: [authorizationFor(route), JSON_TYPE, ['content-encoding', 'gzip']] },
        }),
      ]),
    ));

  test('of more than a megabyte is refused, declared, chunked or sent', () =>
    expectAllRefused(
      withBody().flatMap((route) => [
        attempt(route, 'a declared length', {
          mistake: 'too large',
          request: { framed: false, headers: [authorizationFor(route), JSON_TYPE, ['content-length', String(MEGABYTE + 1)]] },
        }),
        attempt(route, 'all its bytes', { mistake: 'too large', request: { body: `{"a":"${'x'.repeat(MEGABYTE)}"}` } }),
        attempt(route, 'chunks', {
          mistake: 'too large',
          request: {
            framed: false,
            headers: [authorizationFor(route), JSON_TYPE, ['transfer-encoding', 'chunked']],
            body: `${`10000\r\n${'x'.repeat(0x10000)}\r\n`.repeat(17)}0\r\n\r\n`,
          },
        }),
      ]),
    ));

  test('whose length is ambiguous or a lie is refused', async () => {
    const routes = reading().map((route) => requestTo(route, { body: '{}' }));
    const lies: readonly (readonly [string, string])[][] = [
      [
        ['content-length', '2'],
        ['content-length', '3'],
      ],
      [
        ['content-length', '2'],
        ['transfer-encoding', 'chunked'],
      ],
      [['transfer-encoding', 'xchunked']],
      [['transfer-encoding', 'chunked, identity']],
      [['content-length', '-1']],
      [['content-length', '0x2']],
      [['content-length', '1e3']],
    ];
    const statuses = await Promise.all(
      routes.flatMap((route) =>
        lies.map(async (lie) => {
          const bytes = requestBytes({ ...route, framed: false, headers: [...(route.headers ?? []), ...lie] });
          return (await exchangeBytes(target.app.url, bytes)).status;
        }),
      ),
    );
    expect([...new Set(statuses)]).toEqual([400]);
  });
});

/** Statuses of a field that is well formed and names nothing. */
const unknownNames: Readonly<Record<string, readonly number[]>> = {
  native: [404],
  levia: [401],
  'chat-sessions': [404, 400],
  graph: [403],
  'user-chat': [404],
};

describe('a field', () => {
  test('that is missing or of another kind is refused', () =>
    expectAllRefused(
      askingForFields().flatMap((route) =>
        exampleBodies(route, known(route)).flatMap((example) =>
          mutationsOf(example)
            .filter((mutation) => !isLegal(route, mutation))
            .map((mutation) => {
              const made = attempt(route, mutation.name, { mistake: 'fields', request: { body: JSON.stringify(mutation.body) } });
              return { ...made, statuses: [...made.statuses, ...(unknownNames[route.dialect] ?? [])] };
            }),
        ),
      ),
    ));

  test.each([
    ['NUL', '"a\\u0000b"', 'unicode'],
    ['half a pair', '"a\\ud800b"', 'unicode'],
    ['the other half', '"\\udc00"', 'unicode'],
    ['half a pair in capitals', '"\\uD83D"', 'unicode'],
    ['a bare NUL', '"a\0b"', 'syntax'],
    ['a line break', '"a\nb"', 'syntax'],
    ['a bad escape', '"\\x41"', 'syntax'],
  ] as const)('that holds %s is refused', (name, raw, mistake) =>
    expectAllRefused(
      askingForFields().flatMap((route) =>
        exampleBodies(route, known(route)).flatMap((example) =>
          stringPaths(example).map((path) =>
            attempt(route, `${name} in ${path.join('.')}`, { mistake, request: { body: jsonWith(example, path, raw) } }),
          ),
        ),
      ),
    ),
  );

  test('that nobody knows is refused in native', () =>
    expectAllRefused(
      askingForFields()
        .filter(({ dialect }) => dialect === 'native')
        .flatMap((route) =>
          exampleBodies(route, known(route)).flatMap((example) =>
            ['tenant_id', 'owner', 'user_id', 'created_at', 'id', 'role', 'toString'].map((field) =>
              attempt(route, field, { mistake: 'fields', request: { body: JSON.stringify({ ...example, [field]: 1 }) } }),
            ),
          ),
        ),
    ));
});

describe('an Idempotency-Key', () => {
  test.each([
    ['of 256 characters', 'x'.repeat(256)],
    ['with a space', 'a b'],
    ['empty', ''],
    ['beyond ASCII', 'caf\u00e9'],
    ['with a tab', 'a\tb'],
  ])('that is %s is refused', (name, key) =>
    expectAllRefused(
      making().flatMap((route) =>
        exampleBodies(route, known(route)).map((example) =>
          attempt(route, `a key ${name}`, {
            mistake: 'idempotency key',
            request: { body: JSON.stringify(example), headers: [authorizationFor(route), JSON_TYPE, ['idempotency-key', key]] },
          }),
        ),
      ),
    ),
  );
});

test('after all this nothing is stored, changed or broken', async () => {
  expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain('polluted');
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  expect((await target.app.send('/health')).status).toBe(200);
  expect(target.app.log()).not.toMatch(/"level":50|request failed/);
  expect(await target.stopAndCompare()).toEqual([]);
});
