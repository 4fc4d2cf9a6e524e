import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSqliteStore } from '../src/backends/stores/sqlite/index.ts';
import { runProgram } from './support/run-program.ts';
import { bareEnvironment, createServerDirectory, type ServerProcess, startServerProcess } from './support/server-process.ts';

const COMMAND = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const SECRET = '3d7e0ab94c5f61827be09d4ca1536f8e';

let directory: string;
let remove: () => Promise<void>;
const servers: ServerProcess[] = [];

beforeEach(async () => {
  ({ directory, remove } = await createServerDirectory());
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
  await remove();
});

async function serve(env: Record<string, string> = {}): Promise<ServerProcess> {
  const server = await startServerProcess({ directory, env });
  servers.push(server);
  return server;
}

const runCli = (args: readonly string[], env: Record<string, string> = {}) =>
  runProgram([process.execPath, COMMAND, ...args], { cwd: directory, env: bareEnvironment({ PORT: '0', ...env }) });

/** Starts a server that must refuse, and gives its exit code and what it says: one line, no stack, nothing on standard output but log lines. */
async function refusal(env: Record<string, string> = {}): Promise<{ code: number | null; sentence: string }> {
  const { code, stdout, stderr } = await runCli(['start'], env);
  expect(stdout).not.toContain('listening');
  expect(stderr).toMatch(/^polylogue: [^\n]+\.\n$/);
  expect(stderr).not.toMatch(/\bat \S+:\d+|errno|Error:/);
  return { code, sentence: stderr.slice('polylogue: '.length, -1) };
}

async function statusWith(server: ServerProcess, credential: string): Promise<number> {
  return (await server.send('/polylogue/v1/threads', { headers: { authorization: `Bearer ${credential}` } })).status;
}

test('a port that is taken', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const refused = await refusal({ PORT: String(port) });
  other.close();
  expect(refused).toEqual({
    code: 1,
    sentence: `Port ${port} on 127.0.0.1 is taken by another program: stop that, or set PORT to another number.`,
  });
});

test('a data directory that another server uses', async () => {
  const first = await serve();
  expect(await refusal()).toEqual({
    code: 1,
    sentence: `Another server (process ${first.pid}) is using the data directory ${join(directory, 'data')}: stop it, or give this one a directory of its own.`,
  });
  expect((await first.send('/ready')).status).toBe(200);
});

test('a data directory that a command uses for a moment', async () => {
  const store = await openSqliteStore({ dataDir: join(directory, 'data') });
  const starting = serve();
  await sleep(2_000);
  await store.close();
  expect((await (await starting).send('/ready')).status).toBe(200);
});

test.each([
  ['file', 'ENOTDIR'],
  ['file/below', 'ENOTDIR'],
  ['/proc/polylogue', 'ENOENT'],
])('a data directory at %s', async (place, problem) => {
  await writeFile(join(directory, 'file'), 'no directory');
  const path = resolve(directory, place);
  const sentence = `The data directory ${path} cannot be used (${problem}): set DATA_DIR to a directory that this user may write to.`;
  expect(await refusal({ DATA_DIR: place })).toEqual({ code: 1, sentence });
  expect(await refusal({ DATA_DIR: place, JWT_SECRET_KEY: SECRET })).toEqual({ code: 1, sentence });
  expect(await runCli(['token', '--user', 'ann'], { DATA_DIR: place })).toEqual({
    code: 1,
    stdout: '',
    stderr: `polylogue: ${sentence}\n`,
  });
});

test.each([0o707, 0o777])('a data directory that everybody can change', async (mode) => {
  const path = join(directory, 'data');
  await mkdir(path);
  await chmod(path, mode);
  const { code, sentence } = await refusal();
  expect({ code, sentence }).toEqual({ code: 1, sentence: expect.stringContaining(`run "chmod o-w ${path}"`) });
});

test.each([
  [0o755, null],
  [0o770, 'The group of the data directory'],
])('a data directory of mode %o is taken, with a word where a group may change it', async (mode, doubt) => {
  const path = join(directory, 'data');
  await mkdir(path);
  await chmod(path, mode);
  const server = await serve();
  expect((await server.send('/ready')).status).toBe(200);
  expect(server.output().includes('The group of the data directory')).toBe(doubt !== null);
});

test.runIf(process.getuid?.() === 0)('a data directory of another user is taken with a word', async () => {
  const path = join(directory, 'data');
  await mkdir(path);
  await chown(path, 65_534, 65_534);
  expect((await serve()).output()).toContain(`${path} belongs to another user`);
});

test('a data directory that cannot be written', async () => {
  const path = join(directory, 'data');
  await mkdir(path, { mode: 0o500 });
  // Root may write everywhere, unless it gives up that capability.
  const asOrdinaryUser = process.getuid?.() === 0 ? ['setpriv', '--bounding-set', '-dac_override'] : ['env'];
  const [program = '', ...args] = asOrdinaryUser;
  const command = [program, ...args, process.execPath, COMMAND, 'start'] as const;
  expect(await runProgram(command, { cwd: directory, env: bareEnvironment({ PORT: '0' }) })).toMatchObject({
    code: 1,
    stderr: `polylogue: The data directory ${path} cannot be used (EACCES): set DATA_DIR to a directory that this user may write to.\n`,
  });
});

test.each([
  ['{"version":1,', /is not valid JSON/],
  ['{"version":2}', /\/version must be 1/],
  ['{"version":1,"limit":{}}', /\/limit is not a known setting/],
  ['{"version":1,"models":{"fast":{"provider":"groq"}}}', /\/models\/fast\/provider must be one of demo, not "groq"/],
  [
    '{"version":1,"providers":{"g":{"baseUrl":"http://127.0.0.1:1","apiKeyEnv":"NO_SUCH_KEY"}}}',
    /NO_SUCH_KEY, but that environment variable is not set/,
  ],
])('a configuration file with %s', async (text, expected) => {
  const path = join(directory, 'polylogue.config.json');
  await writeFile(path, text);
  const { code, sentence } = await refusal();
  expect(code).toBe(78);
  expect(sentence).toContain(path);
  expect(sentence).toMatch(expected);
});

test('a default model that is none of the models', async () => {
  const path = join(directory, 'polylogue.config.json');
  await writeFile(path, '{"version": 1,\n "models": {"fast": {"provider": "demo"}},\n "defaultModel": "slow"}');
  expect(await refusal()).toEqual({ code: 78, sentence: `${path}:3:18: /defaultModel must be one of fast, not "slow".` });
});

test('a configuration file that is not there', async () => {
  const path = join(directory, 'elsewhere.json');
  expect(await refusal({ POLYLOGUE_CONFIG: path })).toEqual({
    code: 78,
    sentence: `POLYLOGUE_CONFIG names ${path}, but there is no such file.`,
  });
});

test.each([
  [{}, /nobody could sign in: .*"polylogue keys create".*JWT_SECRET_KEY.*JWKS_URL/],
  [{ JWT_SECRET_KEY: 'your-secret-key-change-this-in-production' }, /^JWT_SECRET_KEY is a placeholder from an example/],
  [{ BETTER_AUTH_SECRET: 'kJ8s-0aQ' }, /^BETTER_AUTH_SECRET is shorter than 32 characters/],
  [{ BETTER_AUTH_SECRET: 'better-auth-secret-12345678901234567890' }, /^BETTER_AUTH_SECRET has been published as a default/],
  [{ JWT_SECRET_KEY: 'qwertyuiopasdfghjklzxcvbnm123456' }, /^JWT_SECRET_KEY can be guessed/],
])('production with %j', async (env, expected) => {
  const { code, sentence } = await refusal({ NODE_ENV: 'production', ...env });
  expect(code).toBe(78);
  expect(sentence).toMatch(expected);
  for (const value of Object.values(env)) expect(sentence).not.toContain(value);
});

test('the development key opens a server on this machine, and none in production', async () => {
  const key = 'dev-api-key-change-in-production';
  for (const [env, status] of [
    [{}, 200],
    [{ NODE_ENV: 'production' }, 401],
  ] as const) {
    const server = await serve({ JWT_SECRET_KEY: SECRET, ...env });
    const token = (await runCli(['token', '--user', 'ann'], { JWT_SECRET_KEY: SECRET, ...env })).stdout.trim();
    expect([await statusWith(server, key), await statusWith(server, token)]).toEqual([status, 200]);
    expect(await (await server.send('/')).text()).toContain(status === 200 ? key : '$POLYLOGUE_API_KEY');
    expect(await server.stop()).toBe(0);
  }
});

test('a token that the command made before the first start is accepted, and by no other server', async () => {
  const { code, stdout, stderr } = await runCli(['token', '--user', 'ann']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(await statusWith(await serve(), stdout.trim())).toBe(200);
  const other = await serve({ DATA_DIR: join(directory, 'other') });
  expect(await statusWith(other, stdout.trim())).toBe(401);
});

test('start is what the command does without a word, and a stopped server ends with 0', async () => {
  const server = await startServerProcess({ directory, command: [process.execPath, COMMAND] });
  expect((await server.send('/health')).status).toBe(200);
  expect(await server.stop('SIGINT')).toBe(0);
});

test('help names every command and its options', async () => {
  const { code, stdout } = await runCli(['--help']);
  expect(code).toBe(0);
  for (const word of ['start', 'token', '--version', '--help']) expect(stdout).toContain(word);
  const token = await runCli(['token', '--help']);
  for (const option of ['--user', '--expires', '--json']) expect(token.stdout).toContain(option);
});

test('a data directory whose secret others can read', async () => {
  await runCli(['token', '--user', 'ann']);
  const path = join(directory, 'data', 'jwt-secret');
  await chmod(path, 0o644);
  expect((await refusal()).sentence).toContain(`chmod 600 ${path}`);
});
