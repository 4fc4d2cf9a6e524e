import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { doors } from '../../src/app.ts';
import { DEVELOPMENT_KEY, startTestApp, type TestApp } from '../support/app.ts';
import { exchange, headerOf, type RawRequest } from './byte-exchange.ts';
import { shapeProblem } from './error-shapes.ts';
import { type Route, recordRoutes } from './routes.ts';

const SECRET = '9d1c6e0b7f3a42d58c6b1e0f4a7d2c93';
const routes: Route[] = [];
let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({ env: { JWT_SECRET_KEY: SECRET }, dialects: recordRoutes(doors, routes) });
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
    const challenge = status === 401 && headerOf(answer, 'www-authenticate') !== 'Bearer' ? 'has no challenge' : null;
    if (answer.status !== status || shape || challenge) problems.push(`${route.method} ${path}: ${answer.status} ${shape ?? challenge}`);
  }
  expect(problems.slice(0, 10)).toEqual([]);
  expect(routes.length).toBeGreaterThan(15);
}

test('none is 401', () => expectRefused(401, []));

test.each([
  ['a wrong key', () => 'plg_wrong'],
  ['a key in other case', () => DEVELOPMENT_KEY.toUpperCase()],
  ['a key and more', () => `${DEVELOPMENT_KEY}x`],
  ['SQL', () => "'OR'1'='1'--"],
  ['a wildcard', () => '%'],
  ['10 KB', () => 'x'.repeat(10_000)],
  ['an expired token', () => token({ claims: { exp: now() - 100 } })],
  ['a token without end', () => token({ claims: { exp: undefined } })],
  ['an end that is text', () => token({ claims: { exp: String(now() + 600) } })],
  ['an end beyond all numbers', () => token().replace(/\..*\./, `.${Buffer.from('{"sub":"ann","exp":1e309}').toString('base64url')}.`)],
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
])('%s is 401', (_name, credential) => expectRefused(401, bearer(credential())));

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
    expect([answer.status, shapeProblem(route.dialect, answer)], `${route.method} ${route.path}`).toEqual([401, null]);
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
  const good = [bearer(DEVELOPMENT_KEY), bearer(token()), [['x-api-key', token()]], [...bearer(token()), ['x-api-key', token()]]] as const;
  for (const headers of good) expect((await exchange(app.url, { method: 'GET', path, headers })).status).toBe(200);
});

test('none of them is in the log', async () => {
  await exchange(app.url, { method: 'GET', path: `/levia/chat/request/x?api_key=${DEVELOPMENT_KEY}` });
  expect(app.log()).not.toContain(DEVELOPMENT_KEY);
  expect(app.log()).not.toMatch(/eyJ|plg_|Bearer/);
  expect(app.log()).not.toMatch(/"level":50/);
});
