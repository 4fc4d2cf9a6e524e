import { randomBytes } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keyMaker } from '../src/backends/tokens/api-key.ts';
import { forgeHmac, partsOf } from './hostile/forge.ts';
import { openChatSocket } from './support/chat-socket.ts';
import { runCommandAt } from './support/command.ts';
import { file, formOf } from './support/forms.ts';
import { runProgram } from './support/run-program.ts';
import { bareEnvironment, createServerDirectory, type ServerProcess, startServerProcess } from './support/server-process.ts';
import { answer, refuse, type Step, startUpstream, type Upstream } from './support/upstream.ts';
import { STREAM_HEAD, VENDORS, type VendorCase, vendorAnswer, vendorRefusal } from './support/vendor-answers.ts';

// Secrets and texts that can be told from everything else, through every door, and then looked for wherever something is written down.

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const mark = () => `cAnArY${randomBytes(12).toString('hex')}`;
const providerKey = mark();
const signingSecret = `${mark()}${mark()}`;
const message = mark();
const reply = mark();
/** Ends behind the canary, because an end may be sent by itself. */
const SAID = `The answer is ${reply}, so much is sure.`;
const misplaced = mark();
/** Of the providers with protocols of their own; read from environment variables of these names. */
const vendorKeys = { anthropic: mark(), google: mark() };
const keyVariable = (name: VendorCase['name']) => `KEY_OF_${name.toUpperCase()}`;
/** Credentials that are none: well formed but never made, misspelt, and signed by somebody else. */
const wrongKey = keyMaker.make().secret;
const misspeltKey = `plg_${mark()}`;
const wrongToken = forgeHmac({ claims: { sub: 'ann', exp: Math.floor(Date.now() / 1000) + 600 }, secret: mark() });

/** Ends the process by an error that nobody catches and that has everything in it. */
const CRASH = `process.once('SIGUSR2', () => setImmediate(() => {
  throw Object.assign(new Error(JSON.stringify(process.env)), {
    request: { headers: { authorization: process.env.CANARY }, body: process.env.CANARY },
  });
}))`;

let upstream: Upstream;
const vendors: { readonly vendor: VendorCase; readonly script: Step[]; readonly server: Upstream }[] = [];
let server: ServerProcess;
let directory: Awaited<ReturnType<typeof createServerDirectory>>;
let apiKey: string;
let token: string;
const script: Step[] = [...answer([SAID])];
const answers: { readonly path: string; readonly status: number; readonly text: string }[] = [];

beforeAll(async () => {
  upstream = await startUpstream(script);
  for (const vendor of VENDORS) {
    const steps = vendorAnswer(vendor, [SAID]);
    vendors.push({ vendor, script: steps, server: await startUpstream(steps) });
  }
  directory = await createServerDirectory({
    providers: Object.fromEntries(
      vendors.map(({ vendor: { name }, server: { baseUrl } }) => [name, { kind: name, baseUrl, apiKeyEnv: keyVariable(name) }]),
    ),
    models: {
      'gpt-4': { provider: 'openai' },
      ...Object.fromEntries(VENDORS.map(({ name, model }) => [name, { provider: name, model }])),
    },
    limits: { drainSeconds: 1 },
  });
  const env = {
    LOG_LEVEL: 'trace',
    OPENAI_BASE_URL: upstream.baseUrl,
    OPENAI_API_KEY: providerKey,
    JWT_SECRET_KEY: signingSecret,
    ...Object.fromEntries(VENDORS.map(({ name }) => [keyVariable(name), vendorKeys[name]])),
    CANARY: message,
    NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(CRASH)}`,
  };
  server = await startServerProcess({ directory: directory.directory, env });
  const place = { directory: directory.directory };
  apiKey = (await runCommandAt(place, ['keys', 'create', '--name', 'canary', '--scope', 'read,write,act_as,admin'])).stdout.trim();
  token = (await runCommandAt(place, ['token', '--user', 'ann'])).stdout.trim();
  expect([apiKey, token]).toEqual([expect.stringMatching(/^plg_\w{38}$/), expect.stringMatching(/^ey/)]);
});

afterAll(async () => {
  await server.stop('SIGKILL');
  await directory.remove();
  await upstream.close();
  for (const vendor of vendors) await vendor.server.close();
});

async function send(path: string, init: RequestInit & { readonly credential?: string } = {}): Promise<string> {
  const { credential = apiKey, ...rest } = init;
  const headers = new Headers({ authorization: `Bearer ${credential}`, 'content-type': 'application/json', ...init.headers });
  if (headers.get('authorization') === '') headers.delete('authorization');
  const response = await fetch(server.url + path, { ...rest, headers });
  const text = await response.text();
  answers.push({ path, status: response.status, text: `${JSON.stringify([...response.headers])}\n${text}` });
  return text;
}

const post = (path: string, body: unknown, credential = apiKey) => send(path, { method: 'POST', body: JSON.stringify(body), credential });

/** In place of the `Authorization` header that requests have otherwise. */
const without = (headers: Readonly<Record<string, string>> = {}): RequestInit => ({ headers: { authorization: '', ...headers } });

/** Files with the canary in their names and in what they say: one that is read, one that cannot be, and one of a type that is not taken. */
async function addFiles(thread: string): Promise<void> {
  for (const content of [`Read this: ${message}`, `%PDF-1.4 ${message}`, `\0\x01${message}`]) {
    const init = { method: 'POST', headers: { authorization: `Bearer ${apiKey}` }, body: formOf(file(content, `${message}.txt`)) };
    const response = await fetch(`${server.url}/polylogue/v1/threads/${thread}/files`, init);
    answers.push({ path: 'files', status: response.status, text: await response.text() });
  }
}

/** A question at every door, with a key and with a token. */
async function askEverywhere(): Promise<void> {
  const { id } = JSON.parse(await post('/polylogue/v1/threads', { title: message, metadata: { note: message } }));
  await addFiles(id);
  const run = JSON.parse(await post(`/polylogue/v1/threads/${id}/runs`, { text: message }));
  await send(`/polylogue/v1/runs/${run.id}/events`);
  const { session_id } = JSON.parse(await post('/levia/chat/create', { user_id: 'ann' }));
  const { request_id } = JSON.parse(await post('/levia/chat', { user_id: 'ann', session_id, intent: message }));
  await send(`/levia/chat/stream/${request_id}?api_key=${apiKey}`, without());
  for (const credential of [apiKey, token]) {
    for (const model of ['gpt-4', ...VENDORS.map(({ name }) => name)]) {
      await post('/v1/chat/stream', { model, messages: [{ role: 'user', content: message }] }, credential);
    }
    const made = JSON.parse(
      await post('/v1/chat/prompts', { title: message, content: `{name}: ${message}`, scenario: message }, credential),
    );
    await post('/v1/chat/prompts/preview', { prompt_id: made.id, variables: { name: message } }, credential);
    await post('/polylogue/v1/prompts/preview', { content: message, variables: {} }, credential);
    await send(`/v1/chat/prompts?search=${message}`, { credential });
    await post('/api/v1/graph/stream', { message }, credential);
    await post('/api/v1/graph/invoke', { message }, credential);
    await post('/api/ann/chat', { message: { content: message } }, credential);
  }
  for (const query of [`?key=${apiKey}&user_id=ann`, `?token=${token}`]) await askOnSocket(query);
}

async function askOnSocket(query: string): Promise<void> {
  const chat = await openChatSocket(server.url, query);
  chat.send({ type: 'message', thread_id: '01900000-0000-4000-8000-00000000c0de', content: message });
  await chat.next('message_received');
  while (!chat.frames.some(({ type }) => type === 'message' || type === 'error')) await new Promise((resolve) => setTimeout(resolve, 10));
  chat.send({ type: 'message', thread_id: message, content: message });
  chat.send({ type: message });
  chat.socket.send(`{"${message}`);
  await chat.next('error');
  await chat.close();
}

/** Credentials that are none, at every door and in every place where one may stand, or may not. */
async function knock(): Promise<void> {
  const doors = [
    '/polylogue/v1/me',
    '/levia/chat/request/ann',
    '/v1/chat/history',
    '/api/v1/graph/health',
    '/api/ann/conversations',
    '/chat/ws',
    '/metrics',
  ];
  for (const credential of [wrongKey, misspeltKey, wrongToken]) {
    for (const path of doors) {
      await send(path, { credential });
      await send(path, without({ 'x-api-key': credential }));
      await send(path, { headers: { authorization: `Basic ${credential}` } });
      for (const name of ['api_key', 'key', 'token', 'access_token']) {
        await send(`${path}?${name}=${credential}`, without());
      }
    }
    for (const name of ['key', 'token']) {
      const { closed, frames } = await openChatSocket(server.url, `?${name}=${credential}`);
      await closed;
      answers.push({ path: '/chat/ws', status: 401, text: JSON.stringify(frames) });
    }
  }
}

/** Requests that go wrong, with secrets where they do not belong. */
async function blunder(): Promise<void> {
  await send(`/${misplaced}?key=${apiKey}&token=${token}`);
  await send(`/polylogue/v1/threads/${misplaced}?api_key=${apiKey}`);
  await send('/polylogue/v1/threads', { credential: misplaced });
  await send('/polylogue/v1/threads', { headers: { authorization: `Basic ${apiKey}` } });
  await send('/polylogue/v1/threads', without({ 'x-api-key': misplaced }));
  await send('/polylogue/v1/threads', { method: 'POST', body: `{"title":"${message}` });
  await post('/polylogue/v1/threads', { [message]: message });
  await post('/api/v1/graph/invoke', { message: [message] });
  await post('/v1/chat/stream', { model: message, messages: [{ role: 'user', content: message }] });
  await post('/api/ann/chat', { message: { content: message }, conversation_id: message });
  await post('/polylogue/v1/keys', { name: 'k', scopes: [message] });
  await post('/polylogue/v1/tokens', { user_id: message, expires_in: -1 });
  await openChatSocket(server.url, `?key=${misplaced}`).then((chat) => chat.closed);
}

const wrong = { wrongKey, misspeltKey, wrongToken, payload: partsOf(wrongToken).payload };
const secrets = () => ({ providerKey, ...vendorKeys, signingSecret, apiKey, token, ...wrong });

function expectNone(text: string, canaries: Readonly<Record<string, string>>): void {
  const found = Object.entries(canaries).filter(([, canary]) => text.includes(canary) || text.includes(encodeURIComponent(canary)));
  expect(
    found.map(([name, canary]) => `${name}: ${text.slice(Math.max(0, text.indexOf(canary) - 200), text.indexOf(canary) + 60)}`),
  ).toEqual([]);
}

/** The same failures in a vendor's words. */
function vendorFailures(vendor: VendorCase): readonly (readonly Step[])[] {
  const key = vendorKeys[vendor.name];
  return [
    vendorRefusal(vendor, 401, { message: `API key not valid: ${key}. Asked: ${message}` }),
    vendorRefusal(vendor, 400, { message: `x-api-key ${key} may not say ${message}` }),
    [STREAM_HEAD, { raw: vendor.opening + vendor.error('overloaded', `key ${key}`) }, { end: true }],
  ];
}

/** What pages and commands said. */
const shown: string[] = [];

/** The secret that the store keeps for its server; readable once that has stopped. */
function storedSecret(): string {
  const database = new DatabaseSync(`${directory.directory}/data/polylogue.db`);
  const [row] = database.prepare('select value from server_secret').all();
  database.close();
  return String(row?.value);
}

test('answers, good and bad, hold no secret', async () => {
  await askEverywhere();
  await blunder();
  await knock();
  const failing = [
    refuse(401, `Incorrect API key provided: ${providerKey}. Asked: ${message}`),
    refuse(400, `Bearer ${providerKey} may not say ${message}`),
    [
      { head: 200, headers: { 'content-type': 'text/event-stream' } },
      { raw: `data: {"error":{"message":"key ${providerKey}"}}\n\n` },
      { end: true },
    ],
  ] as const;
  for (const [at, steps] of failing.entries()) {
    script.splice(0, script.length, ...steps);
    for (const one of vendors) one.script.splice(0, one.script.length, ...(vendorFailures(one.vendor)[at] ?? []));
    await askEverywhere();
  }
  expectNone(answers.map(({ text }) => text).join('\n'), secrets());
  expect(answers.filter(({ status }) => status < 300).length).toBeGreaterThan(30);
  expect(answers.filter(({ status }) => status >= 400).length).toBeGreaterThan(15);
  expect(answers.filter(({ text }) => text.includes(reply)).length).toBeGreaterThan(10);
  // They had the keys to tell, and were asked as often as they failed.
  for (const { vendor, server: asked } of vendors) {
    expect(
      asked.requests.filter(({ headers, path }) => `${JSON.stringify(headers)}${path}`.includes(vendorKeys[vendor.name])).length,
    ).toBeGreaterThanOrEqual(8);
  }
});

test('pages for everybody, metrics and the command tell no secret and no text', async () => {
  const pages = ['/', '/docs', '/openapi.json', '/openapi-3.0.json', '/asyncapi.json', '/metrics', '/health', '/ready'];
  const texts = await Promise.all(pages.map(async (path) => (await fetch(server.url + path)).text()));
  const commands = [
    ['doctor', '--json'],
    ['keys', 'list', '--json'],
    ['applications', 'list', '--json'],
  ];
  const said = await Promise.all(commands.map((args) => runCommandAt({ directory: directory.directory }, args)));
  expect(said.every(({ stdout }) => stdout.startsWith('{') || stdout.startsWith('['))).toBe(true);
  shown.push(...texts, ...said.flatMap(({ stdout, stderr }) => [stdout, stderr]));
  expectNone(shown.join('\n'), { ...secrets(), message, reply, misplaced });
});

test('the log, at its most talkative and up to a crash, holds neither', async () => {
  const exited = server.stop('SIGUSR2');
  expect(await exited).toBe(1);
  expect(server.output()).toContain('uncaught exception');
  expect(server.output().split('\n').length).toBeGreaterThan(100);
  expectNone(server.output(), { ...secrets(), message, reply, misplaced });
  const stored = storedSecret();
  expect(stored).toMatch(/^[0-9a-f]{64}$/);
  expectNone([server.output(), ...shown, ...answers.map(({ text }) => text)].join('\n'), { stored });
});

test('a start that fails does not quote the password of its database', async () => {
  const password = mark();
  const place = await createServerDirectory();
  for (const url of [`postgresql://user:${password}@127.0.0.1:1/none`, `postgresql://user:${password}@:bad/none`]) {
    const env = bareEnvironment({ DATABASE_URL: url, PORT: '0' });
    const { code, stdout, stderr } = await runProgram([process.execPath, MAIN], { cwd: place.directory, env });
    expect(code).not.toBe(0);
    expectNone(stdout + stderr, { password });
  }
  await place.remove();
});
