import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CommandPlace, runCommandAt, runForJson } from './support/command.ts';
import { createServerDirectory, type ServerProcess, startServerProcess } from './support/server-process.ts';
import { createTestDatabase, findTestServer } from './support/test-database.ts';

const PROVIDER_KEY = 'sk-canary-4f1c9e';
const SECRET = '3d7e0ab94c5f61827be09d4ca1536f8e';

interface Finding {
  readonly level: 'ok' | 'warn' | 'fail';
  readonly subject: string;
  readonly message: string;
  readonly advice: string | null;
}

const postgres = await findTestServer();
let place: CommandPlace;
let remove: () => Promise<void>;
let server: ServerProcess | null = null;
const neighbours: Server[] = [];

beforeEach(async () => {
  const created = await createServerDirectory();
  remove = created.remove;
  place = { directory: created.directory };
});
afterEach(async () => {
  await server?.stop();
  server = null;
  for (const neighbour of neighbours.splice(0)) {
    neighbour.close();
    neighbour.closeAllConnections();
  }
  await remove();
});

/** A server beside ours that answers every request so; null leaves it waiting. */
async function startNeighbour(answer: { status: number; body: unknown } | null): Promise<string> {
  const neighbour = createServer((_request, response) => {
    if (answer !== null) response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
  });
  neighbours.push(neighbour);
  await new Promise<void>((resolve) => neighbour.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(neighbour.address() as AddressInfo).port}`;
}

async function examine(env: Readonly<Record<string, string>> = {}): Promise<{ code: number | null; findings: readonly Finding[] }> {
  const { code, stdout, stderr } = await runCommandAt({ ...place, env: { ...place.env, ...env } }, ['doctor', '--json']);
  expect(stderr).toBe('');
  expect(stdout).not.toContain(PROVIDER_KEY);
  expect(stdout).not.toContain(SECRET);
  return { code, findings: JSON.parse(stdout) };
}

const about = (findings: readonly Finding[], subject: string) => findings.filter((finding) => finding.subject === subject);

test('a fresh place has nothing that fails, and says what to do next', async () => {
  const { code, findings } = await examine();
  expect(code).toBe(0);
  expect(findings.every(({ level, advice }) => (level === 'ok') === (advice === null))).toBe(true);
  expect(about(findings, 'store')).toMatchObject([{ level: 'ok', message: expect.stringContaining('no data yet') }]);
  expect(about(findings, 'models')).toMatchObject([{ level: 'warn' }]);
  const printed = await runCommandAt(place, ['doctor']);
  expect(printed.stdout).toMatch(/^ok {4}node {6}Node\.js \d/);
  expect(printed.stdout).toMatch(/^warn {2}address .*development key.*\n {16}Set NODE_ENV=production/m);
});

test('providers are asked, and what they say is told without their key', async () => {
  const good = await startNeighbour({ status: 200, body: { data: [{ id: 'a' }, { id: 'b' }] } });
  const { findings, code } = await examine({ OPENAI_BASE_URL: good, OPENAI_API_KEY: PROVIDER_KEY });
  expect({ code, models: about(findings, 'models') }).toMatchObject({
    code: 0,
    models: [{ message: expect.stringContaining('2 models') }],
  });
  const bad = await startNeighbour({ status: 401, body: { error: { message: `wrong key ${PROVIDER_KEY}` } } });
  const refused = await examine({ OPENAI_BASE_URL: bad, OPENAI_API_KEY: PROVIDER_KEY });
  expect({ code: refused.code, models: about(refused.findings, 'models') }).toMatchObject({ code: 1, models: [{ level: 'fail' }] });
  const silent = await startNeighbour(null);
  const late = await examine({ OPENAI_BASE_URL: silent });
  expect(about(late.findings, 'models')).toMatchObject([{ level: 'fail', message: expect.stringContaining('no answer within 5 s') }]);
});

test('public keys are fetched, those of applications too', async () => {
  const empty = await startNeighbour({ status: 200, body: { keys: [] } });
  await runForJson(place, [
    'applications',
    'create',
    'acme',
    '--name',
    'Acme',
    '--jwks-url',
    `${await startNeighbour({ status: 500, body: {} })}/jwks`,
  ]);
  const { code, findings } = await examine({ JWKS_URL: empty });
  expect(code).toBe(1);
  expect(about(findings, 'jwks')).toMatchObject([
    { level: 'warn', message: expect.stringContaining('JWKS_URL'), advice: expect.stringContaining('tokens.audience') },
    { level: 'warn', message: expect.stringContaining('"acme"'), advice: expect.stringContaining('applications change acme') },
    { level: 'fail', message: expect.stringMatching(/^The server has 0 usable public keys/) },
    { level: 'fail', message: expect.stringMatching(/application "acme" .*status 500/) },
  ]);
});

test('what is unsafe', async () => {
  const data = join(place.directory, 'data');
  await runForJson(place, ['keys', 'list']);
  await chmod(data, 0o755);
  const { code, findings } = await examine({ HOST: '0.0.0.0', JWT_SECRET_KEY: 'changeme', ALLOWED_ORIGINS: 'http://app.example.com' });
  expect(code).toBe(1);
  expect(about(findings, 'address')).toMatchObject([{ level: 'warn', advice: expect.stringContaining('NODE_ENV=production') }]);
  expect(about(findings, 'secrets')).toMatchObject([{ level: 'fail', message: 'A signing secret is a placeholder from an example.' }]);
  expect(about(findings, 'origins')).toMatchObject([{ level: 'warn' }]);
  expect(about(findings, 'files')).toMatchObject([{ level: 'warn', advice: `Run "chmod 700 ${data}".` }]);
  await chmod(join(data, 'polylogue.db'), 0o644);
  expect(about((await examine()).findings, 'files')).toMatchObject([{ level: 'fail' }]);
});

test('a server that other machines reach', async () => {
  await writeFile(join(place.directory, 'polylogue.config.json'), JSON.stringify({ version: 1, metrics: { public: true } }));
  const open = { NODE_ENV: 'production', HOST: '0.0.0.0', JWT_SECRET_KEY: SECRET };
  const { code, findings } = await examine(open);
  expect(code).toBe(0);
  expect(about(findings, 'tls')).toMatchObject([{ level: 'warn', advice: expect.stringContaining('proxy that ends TLS') }]);
  expect(about(findings, 'metrics')).toMatchObject([{ level: 'warn', advice: expect.stringContaining('metrics.public') }]);
  const local = (await examine({ ...open, HOST: '127.0.0.1' })).findings;
  expect(about(local, 'tls')).toEqual([]);
  expect(about(local, 'metrics')).toMatchObject([{ level: 'warn', message: expect.stringContaining('through a proxy') }]);
  await rm(join(place.directory, 'polylogue.config.json'));
  const guarded = [{ level: 'ok', message: '/metrics asks for an API key.' }];
  for (const HOST of ['0.0.0.0', '127.0.0.1']) {
    expect(about((await examine({ ...open, HOST })).findings, 'metrics')).toMatchObject(guarded);
  }
  expect(about((await examine()).findings, 'metrics')).toMatchObject([{ level: 'ok', message: expect.stringContaining('no API key') }]);
});

test.each([
  ['better-auth-secret-12345678901234567890', /^A signing secret has been published as a default/],
  ['abcdefghijklmnopqrstuvwxyz123456', /^A signing secret can be guessed/],
])('doctor and start agree about %s', async (secret, message) => {
  const { code, findings } = await examine({ BETTER_AUTH_SECRET: secret });
  expect({ code, secrets: about(findings, 'secrets') }).toMatchObject({ code: 1, secrets: [{ message: expect.stringMatching(message) }] });
  const env = { NODE_ENV: 'production', BETTER_AUTH_SECRET: secret };
  const [examined, started] = await Promise.all(['doctor', 'start'].map((command) => runCommandAt({ ...place, env }, [command])));
  expect(examined).toEqual({ code: 78, stdout: '', stderr: expect.stringMatching(/^polylogue: BETTER_AUTH_SECRET (has been|can be)/) });
  expect(started).toEqual(examined);
});

test('without a provider every variable that brings one is named', async () => {
  const [{ advice } = { advice: null }] = about((await examine()).findings, 'models');
  for (const name of ['OPENAI_API_KEY', 'OPENAI_BASE_URL', 'ANTHROPIC_API_KEY', 'GOOGLE_GENERATIVE_AI_API_KEY'])
    expect(advice).toContain(name);
});

test('production in which nobody can sign in', async () => {
  await runForJson(place, ['migrate']);
  const { code, findings } = await examine({ NODE_ENV: 'production' });
  expect({ code, access: about(findings, 'access') }).toMatchObject({ code: 1, access: [{ level: 'fail' }] });
  await runForJson(place, ['keys', 'create', '--name', 'first']);
  expect(about((await examine({ NODE_ENV: 'production' })).findings, 'access')).toMatchObject([{ level: 'ok' }]);
});

test('a running server is examined with its own settings', async () => {
  const provider = await startNeighbour({ status: 200, body: { data: [{ id: 'a' }] } });
  server = await startServerProcess({ ...place, env: { OPENAI_BASE_URL: provider, OPENAI_API_KEY: PROVIDER_KEY, JWT_SECRET_KEY: SECRET } });
  const { code, findings } = await examine();
  expect(code).toBe(0);
  expect(about(findings, 'server')).toMatchObject([{ level: 'ok', message: expect.stringContaining(String(server.pid)) }]);
  expect(about(findings, 'models')).toMatchObject([{ level: 'ok', message: expect.stringContaining('"openai"') }]);
  expect(about(findings, 'secrets')).toMatchObject([{ level: 'ok', message: 'One signing secret is set.' }]);
});

test('migrate makes the store, knows a finished one, and keeps away from a running server', async () => {
  await mkdir(join(place.directory, 'data'), { mode: 0o700 });
  const made = await runForJson<{ from: number | null; to: number }>(place, ['migrate']);
  expect(made.from).toBeNull();
  expect(await runForJson(place, ['migrate'])).toEqual({ from: made.to, to: made.to });
  expect((await runCommandAt(place, ['migrate'])).stdout).toBe(`The data has version ${made.to} already.\n`);
  server = await startServerProcess(place);
  const refused = await runCommandAt(place, ['migrate']);
  expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(`process ${server.pid} has the data`) });
});

describe.skipIf(postgres === null)('on PostgreSQL', () => {
  test('doctor changes nothing, and migrate makes the tables', async () => {
    const database = await createTestDatabase(postgres ?? '');
    place = { ...place, env: { DATABASE_URL: database.url } };
    expect(about((await examine()).findings, 'store')).toMatchObject([{ level: 'ok', message: expect.stringContaining('no data yet') }]);
    const made = await runForJson<{ from: number | null; to: number }>(place, ['migrate']);
    expect(made.from).toBeNull();
    expect(about((await examine()).findings, 'store')).toMatchObject([
      { message: `The data has version ${made.to}, as this program wants it.` },
    ]);
    await database.drop();
    const gone = await examine();
    expect({ code: gone.code, store: about(gone.findings, 'store') }).toMatchObject({ code: 1, store: [{ level: 'fail' }] });
    const unreachable = await examine({ DATABASE_URL: `postgresql://ann:${SECRET}@127.0.0.1:1/none` });
    expect(about(unreachable.findings, 'store')).toMatchObject([{ level: 'fail', message: expect.stringContaining('127.0.0.1:1') }]);
  });
});
