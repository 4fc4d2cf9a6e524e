import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { doors } from '../../src/app.ts';
import { DEVELOPMENT_KEY, startTestApp, type TestApp } from '../support/app.ts';
import { exchangeBytes, type RawAnswer, requestBytes } from './byte-exchange.ts';
import { shapeProblem } from './error-shapes.ts';
import { type Route, recordRoutes } from './routes.ts';

const routes: Route[] = [];
const OTHERS = ['/', '/docs', '/openapi.json', '/asyncapi.json', '/metrics', '/nothing'];
let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({ env: { ALLOWED_ORIGINS: 'https://app.example' }, dialects: recordRoutes(doors, routes) });
});

afterAll(() => app.close());

type Asked = Pick<Route, 'method' | 'path'>;
const MODELS: Asked = { method: 'GET', path: '/polylogue/v1/models' };

/** Asks as a page does whose host name is `host`, with a good key. */
function askAs(host: string, { method, path }: Asked, { url, key } = { url: app.url, key: DEVELOPMENT_KEY }): Promise<RawAnswer> {
  const headers = [['authorization', `Bearer ${key}`]] as const;
  const text = requestBytes({ method, path, headers })
    .toString()
    .replace('Host: localhost\r\n', host === '' ? '' : `Host: ${host}\r\n`);
  return exchangeBytes(url, Buffer.from(host === '' ? text.replace('HTTP/1.1', 'HTTP/1.0') : text));
}

test('a page whose name was pointed at a development server gets nothing of it', async () => {
  const problems: string[] = [];
  const all = [...routes, ...OTHERS.map((path) => ({ dialect: '', method: 'GET', path }))];
  for (const { dialect, method, path } of all) {
    const answer = await askAs('rebound.example:8000', { method, path: path.replace(/:\w+/g, '1') });
    const told = answer.body.includes('ALLOWED_ORIGINS') ? null : 'says nothing of ALLOWED_ORIGINS';
    const problem = answer.status === 421 ? (shapeProblem(dialect, answer) ?? told) : `is ${answer.status}`;
    if (problem) problems.push(`${method} ${path} ${problem}: ${answer.body.slice(0, 100)}`);
  }
  expect(problems).toEqual([]);
  expect(all.length).toBeGreaterThan(40);
});

test.each(['localhost.rebound.example', '127.0.0.1.rebound.example', 'rebound.example.', 'localhost.', 'app.example.org'])(
  'as %j it does not answer',
  async (host) => {
    expect((await askAs(host, MODELS)).status).toBe(421);
  },
);

test('whoever watches it may call it anything', async () => {
  for (const path of ['/health', '/ready']) expect((await askAs('rebound.example', { method: 'GET', path })).status).toBe(200);
});

test.each(['localhost:1', '127.0.0.1', 'x.localhost', '[::1]:8000', '192.0.2.7', 'polylogue:8000', 'app.example', ''])(
  'as %j it answers',
  async (host) => {
    expect((await askAs(host, MODELS)).status).toBe(200);
  },
);

/** What becomes of a WebSocket of such a page. */
async function openAs(url: string, host: string): Promise<number> {
  const headers = { host, origin: `http://${host}` };
  const socket = new WebSocket(`${url.replace('http', 'ws')}/chat/ws?key=${DEVELOPMENT_KEY}`, { headers });
  try {
    return await new Promise<number>((resolve, reject) => {
      socket.on('open', () => resolve(101));
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
      socket.on('error', reject);
    });
  } finally {
    socket.on('error', () => undefined);
    socket.terminate();
  }
}

test('its sockets neither', async () => {
  expect(await openAs(app.url, 'rebound.example:8000')).toBe(421);
  expect(await openAs(app.url, 'localhost:8000')).toBe(101);
});

test('in production any name will do, and pages of the same origin come in', async () => {
  const production = await startTestApp({ env: { NODE_ENV: 'production' } });
  const there = { url: production.url, key: await production.key() };
  expect((await askAs('chat.example', MODELS, there)).status).toBe(200);
  expect(await openAs(production.url, 'chat.example')).toBe(101);
  await production.close();
});
