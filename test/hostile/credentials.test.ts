import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { doors } from '../../src/app.ts';
import { DEVELOPMENT_KEY, type TestApp } from '../support/app.ts';
import { openChatSocket } from '../support/chat-socket.ts';
import { exchange, headerOf, type RawRequest } from './byte-exchange.ts';
import { shapeProblem } from './error-shapes.ts';
import { credentialRefusal } from './expected-status.ts';
import { forgeHmac } from './forge.ts';
import { type Route, recordRoutes } from './routes.ts';
import { startAttacked } from './target.ts';

const SECRET = '9d1c6e0b7f3a42d58c6b1e0f4a7d2c93';
const routes: Route[] = [];
let app: TestApp;

beforeAll(async () => {
  app = await startAttacked({ env: { JWT_SECRET_KEY: SECRET }, dialects: recordRoutes(doors, routes) });
});

afterAll(() => app.close());

interface Forgery {
  readonly header?: object;
  readonly claims?: object;
  readonly secret?: string;
}

const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = () => Math.floor(Date.now() / 1000);

/** A token as its bytes, signed with HS256 whatever the header says. */
function token({ header = { alg: 'HS256', typ: 'JWT' }, claims = {}, secret = SECRET }: Forgery = {}): string {
  const signed = `${base64url(header)}.${base64url({ sub: 'ann', exp: now() + 600, ...claims })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

const unsigned = (alg: string) => `${base64url({ alg })}.${base64url({ sub: 'ann', exp: now() + 600 })}.`;

function flipped(text: string): string {
  return text.slice(0, -5) + (text.at(-5) === 'A' ? 'B' : 'A') + text.slice(-4);
}

const bearer = (credential: string) => [['authorization', `Bearer ${credential}`]] as const;

/** Sends every route's method to its path with these credentials; all must be refused in their dialect's words. */
async function expectRefused(status: number, headers: RawRequest['headers'], query = ''): Promise<void> {
  const problems: string[] = [];
  for (const route of routes) {
    const path = route.path.replace(/:\w+/g, '1') + query;
    const answer = await exchange(app.url, { method: route.method, path, headers });
    const shape = shapeProblem(route.dialect, answer);
    const refusal = credentialRefusal(route.dialect, { usual: status, sent: (headers ?? []).length > 0 });
    const challenge = headerOf(answer, 'www-authenticate') === refusal.challenge ? null : 'has another challenge';
    if (answer.status !== refusal.status || shape || challenge)
      problems.push(`${route.method} ${path}: ${answer.status} ${shape ?? challenge}`);
  }
  expect(problems.slice(0, 10)).toEqual([]);
  expect(routes.length).toBeGreaterThan(15);
}

test('none is 401', () => expectRefused(401, []));

const badCredentials: readonly (readonly [string, () => string])[] = [
  ['a wrong key', () => 'plg_wrong'],
  ['a key in other case', () => DEVELOPMENT_KEY.toUpperCase()],
  ['a key and more', () => `${DEVELOPMENT_KEY}x`],
  ['SQL', () => "'OR'1'='1'--"],
  ['a wildcard', () => '%'],
  ['10 KB', () => 'x'.repeat(10_000)],
  ['an expired token', () => token({ claims: { exp: now() - 100 } })],
  ['a token without end', () => token({ claims: { exp: undefined } })],
  ['an end that is text', () => token({ claims: { exp: String(now() + 600) } })],
  // JSON.stringify cannot write it.
  ['an end beyond all numbers', () => forgeHmac({ claims: '{"sub":"ann","exp":1e309}', secret: SECRET })],
  ['a token of the future', () => token({ claims: { iat: now() + 600 } })],
  ['a token not yet valid', () => token({ claims: { nbf: now() + 600 } })],
  ['another secret', () => token({ secret: 'a'.repeat(32) })],
  ['an empty secret', () => token({ secret: '' })],
  ['alg none', () => unsigned('none')],
  ['alg nOnE', () => unsigned('nOnE')],
  ['alg none, signed', () => token({ header: { alg: 'none' } })],
  ['alg HS512', () => token({ header: { alg: 'HS512' } })],
  ['alg RS256', () => token({ header: { alg: 'RS256' } })],
  ['a kid', () => token({ header: { alg: 'HS256', kid: '../../dev/null' } })],
  ['a jku', () => token({ header: { alg: 'HS256', jku: 'http://127.0.0.1:1/keys' } })],
  ['a compressed token', () => token({ header: { alg: 'HS256', zip: 'DEF' } })],
  ['another application', () => token({ claims: { application: 'other' } })],
  ['a user that is a number', () => token({ claims: { sub: 1 } })],
  ['a user that is an object', () => token({ claims: { user_id: { $ne: 1 } } })],
  ['no user', () => token({ claims: { sub: '' } })],
  ['a flipped signature', () => flipped(token())],
  ['a cut signature', () => token().slice(0, -3)],
  ['five parts', () => `${token()}.x.y`],
  ['two parts', () => token().split('.').slice(0, 2).join('.')],
];

test.each(badCredentials)('%s is 401', (_name, credential) => expectRefused(401, bearer(credential())));

/** Opens a chat socket, whose one frame must be an error before it is closed with 1008; gives the error's code. */
async function codeOfRefusal(query: string, headers: Readonly<Record<string, string>> = {}): Promise<string | undefined> {
  const chat = await openChatSocket(app.url, query, { headers });
  chat.send({ type: 'ping' });
  const letIn = chat.next('pong').then(
    () => 'let in',
    () => 'closed',
  );
  expect(await letIn, query.slice(0, 90)).toBe('closed');
  expect((await chat.closed).code).toBe(1008);
  expect(chat.frames, query.slice(0, 90)).toEqual([{ type: 'error', message: expect.stringMatching(/./), code: expect.any(String) }]);
  return chat.frames[0]?.code;
}

describe('a chat socket', () => {
  test('without a credential is closed', async () => {
    expect(await codeOfRefusal('')).toBe('auth_missing');
    expect(await codeOfRefusal('?token=&key=')).toBe('auth_missing');
  });

  test.each(badCredentials)('with %s is closed', async (name, credential) => {
    const code = name === 'an expired token' ? 'auth_expired' : 'auth_invalid';
    const text = credential();
    const inQuery = ['token', 'key'].map((field) => codeOfRefusal(`?${field}=${encodeURIComponent(text)}`));
    const inHeaders = [
      ['authorization', `Bearer ${text}`],
      ['x-api-key', text],
    ]
      .map(([name = '', value = '']) => ({ [name]: value }))
      .map((headers) => codeOfRefusal('', headers));
    expect(await Promise.all([...inQuery, ...inHeaders])).toEqual([code, code, code, code]);
  });

  test('with a key where tokens stand, or a token where keys stand, is closed', async () => {
    expect(await codeOfRefusal(`?token=${DEVELOPMENT_KEY}`)).toBe('auth_invalid');
    expect(await codeOfRefusal(`?key=${token()}`)).toBe('auth_invalid');
    expect(await codeOfRefusal('', { 'x-api-key': token() })).toBe('auth_invalid');
  });

  test('with two that disagree is closed', async () => {
    expect(await codeOfRefusal(`?token=${token()}&key=${DEVELOPMENT_KEY}`)).toBe('auth_conflict');
    expect(await codeOfRefusal(`?key=${DEVELOPMENT_KEY}&key=plg_other`)).toBe('auth_conflict');
    expect(await codeOfRefusal(`?token=${token()}`, { authorization: `Bearer ${DEVELOPMENT_KEY}` })).toBe('auth_conflict');
  });
});

test.each([
  ['another scheme', `Basic ${btoa(`x:${DEVELOPMENT_KEY}`)}`],
  ['no scheme', DEVELOPMENT_KEY],
  ['a scheme without a key', 'Bearer'],
  ['two keys in one', `Bearer ${DEVELOPMENT_KEY} ${DEVELOPMENT_KEY}`],
  ['a list', `Bearer ${DEVELOPMENT_KEY}, Bearer x`],
])('%s is 401', (_name, value) => expectRefused(401, [['authorization', value]]));

test.each(['api_key', 'key', 'token', 'access_token'])('a key in the query as %s does not count', async (name) => {
  const allowed = (route: Route) => name === 'api_key' && route.dialect === 'levia' && route.method === 'GET';
  const kept = routes.filter((route) => !allowed(route));
  expect(kept.length).toBeGreaterThan(15);
  for (const route of kept) {
    const answer = await exchange(app.url, {
      method: route.method,
      path: `${route.path.replace(/:\w+/g, '1')}?${name}=${DEVELOPMENT_KEY}`,
    });
    const { status } = credentialRefusal(route.dialect, { usual: 401, sent: false });
    expect([answer.status, shapeProblem(route.dialect, answer)], `${route.method} ${route.path}`).toEqual([status, null]);
  }
});

test('two that disagree are 400, wherever they stand', async () => {
  await expectRefused(400, [...bearer(DEVELOPMENT_KEY), ['x-api-key', 'plg_other']]);
  await expectRefused(400, [...bearer(DEVELOPMENT_KEY), ...bearer(token())]);
  await expectRefused(400, [
    ['x-api-key', DEVELOPMENT_KEY],
    ['x-api-key', 'plg_other'],
  ]);
  const answer = await exchange(app.url, {
    method: 'GET',
    path: '/levia/chat/request/x?api_key=plg_other',
    headers: bearer(DEVELOPMENT_KEY),
  });
  expect(answer.status).toBe(400);
});

test('a good one in either place counts, and in both', async () => {
  const path = '/polylogue/v1/models';
  const jwt = token();
  const key = ['x-api-key', DEVELOPMENT_KEY] as const;
  const good = [
    bearer(DEVELOPMENT_KEY),
    bearer(jwt),
    [key],
    [...bearer(DEVELOPMENT_KEY), key],
    [...bearer(jwt), ['x-api-key', jwt]],
  ] as const;
  for (const headers of good) expect((await exchange(app.url, { method: 'GET', path, headers })).status).toBe(200);
});

test('a token does not count where keys stand', async () => {
  await expectRefused(401, [['x-api-key', token()]]);
});

test('none of them is in the log', async () => {
  await exchange(app.url, { method: 'GET', path: `/levia/chat/request/x?api_key=${DEVELOPMENT_KEY}` });
  expect(app.log()).not.toContain(DEVELOPMENT_KEY);
  expect(app.log()).not.toMatch(/eyJ|plg_|Bearer/);
  expect(app.log()).not.toMatch(/"level":50/);
});
