import { accessSync, constants } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { COMMAND, type CommandPlace, runCommandAt, runForJson } from './support/command.ts';
import { runProgram } from './support/run-program.ts';
import { bareEnvironment, createServerDirectory, type ServerProcess, startServerProcess } from './support/server-process.ts';

let place: CommandPlace;
let remove: () => Promise<void>;
let server: ServerProcess | null = null;

beforeEach(async () => {
  const created = await createServerDirectory();
  remove = created.remove;
  place = { directory: created.directory };
});
afterEach(async () => {
  await server?.stop();
  server = null;
  await remove();
});

/** What a server that starts now in the same place answers to a token. */
async function statusOf(token: string): Promise<number> {
  server = await startServerProcess(place);
  return (await server.send('/polylogue/v1/threads', { headers: { authorization: `Bearer ${token}` } })).status;
}

test('the built command can be executed and shows help and version', async () => {
  accessSync(COMMAND, constants.X_OK);
  expect(await runCommandAt(place, ['--version'])).toEqual({ code: 0, stdout: '0.1.0\n', stderr: '' });
  const help = await runCommandAt(place, ['--help']);
  expect(help).toMatchObject({ code: 0, stderr: '' });
  for (const command of ['start', 'keys', 'applications', 'token', 'doctor', 'migrate'])
    expect(help.stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
});

test.each([
  [['start']],
  [['token']],
  [['doctor']],
  [['migrate']],
  [['keys', 'create']],
  [['keys', 'list']],
  [['keys', 'revoke']],
  [['applications', 'create']],
  [['applications', 'change']],
  [['applications', 'list']],
])('%j --help has an example', async (command) => {
  const { code, stdout, stderr } = await runCommandAt(place, [...command, '--help']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(new RegExp(`\\nExample:\\n  .*polylogue ${command.join(' ')}`));
  expect(await readdir(place.directory)).toEqual([]);
});

test('token prints one that a server in the same place accepts, and needs no store for it', async () => {
  const { code, stdout, stderr } = await runCommandAt(place, ['token', '--user', 'ann']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(await readdir(`${place.directory}/data`)).toEqual(['jwt-secret']);
  expect(await statusOf(stdout.trim())).toBe(200);
});

test('token without a secret that is set is signed with that of the store', async () => {
  place = { ...place, env: { NODE_ENV: 'production' } };
  expect((await runCommandAt(place, ['keys', 'create', '--name', 'first'])).code).toBe(0);
  const { code, stdout, stderr } = await runCommandAt(place, ['token', '--user', 'ann']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(await statusOf(stdout.trim())).toBe(200);
});

test('token --json tells until when', async () => {
  const before = Date.now();
  const printed = await runForJson<{ token: string; user_id: string; expires_at: string }>(place, [
    'token',
    '--user',
    'ann',
    '--expires',
    '2d',
  ]);
  expect(Object.keys(printed)).toEqual(['token', 'user_id', 'expires_at']);
  expect(printed.user_id).toBe('ann');
  expect(Math.abs(Date.parse(printed.expires_at) - before - 2 * 86_400_000)).toBeLessThan(60_000);
  expect(await statusOf(printed.token)).toBe(200);
});

/** Runs a command whose output goes where nothing can be written. */
function runIntoNothing(...args: readonly string[]) {
  const command = ['/bin/sh', '-c', '"$0" "$@" > /dev/full', process.execPath, COMMAND, ...args] as const;
  return runProgram(command, { cwd: place.directory, env: bareEnvironment({ PORT: '0' }) });
}

test.each(['with', 'without'])('a key that cannot be printed is revoked, %s a server', async (how) => {
  if (how === 'with') server = await startServerProcess(place);
  const { code, stderr } = await runIntoNothing('keys', 'create', '--name', 'lost');
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/^polylogue: The output cannot be written \(ENOSPC\)\. [^\n]*revoked[^\n]*\n$/),
  ]);
  const keys = await runForJson<readonly { name: string; revoked_at: string | null }[]>(place, ['keys', 'list']);
  expect(keys).toEqual([expect.objectContaining({ name: 'lost', revoked_at: expect.any(String) })]);
});

test.each([[['keys', 'list']], [['applications', 'list']], [['token', '--user', 'ann']], [['migrate']], [['doctor']]])(
  '%j whose output cannot be written ends with a sentence',
  async (args) => {
    const { code, stderr } = await runIntoNothing(...args);
    expect([code, stderr]).toEqual([1, 'polylogue: The output cannot be written (ENOSPC).\n']);
  },
);

test('a key is all that keys create prints', async () => {
  const { code, stdout, stderr } = await runCommandAt(place, ['keys', 'create', '--name', 'backend']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^plg_[0-9A-Za-z]{38}\n$/);
  const listed = await runCommandAt(place, ['keys', 'list']);
  expect(listed.stdout).toMatch(/^ID +NAME .*\n[0-9a-f-]{36} +backend +\.\.\..{4} +default +read,write,act_as +all .* active\n$/);
  expect(listed.stdout).not.toContain(stdout.trim());
});

test('an option that takes a list can be repeated', async () => {
  const name = ['keys', 'create', '--name', 'k'];
  const lists = ['--scope', 'read', '--dialect', 'levia,native', '--scope', 'write,act_as', '--dialect', 'graph'];
  const key = await runForJson<{ scopes: readonly string[]; dialects: readonly string[] }>(place, [...name, ...lists]);
  expect([key.scopes, key.dialects]).toEqual([
    ['read', 'write', 'act_as'],
    ['levia', 'native', 'graph'],
  ]);
});

test('help shows durations as they are written', async () => {
  expect((await runCommandAt(place, ['token', '--help'])).stdout).toMatch(/--expires <duration>[^-]*\(default:\s+1h\)/);
});

test.each<[readonly string[], Record<string, string>, number, { code: string; message: RegExp }]>([
  [['keys', 'revoke', 'nope'], {}, 1, { code: 'key_not_found', message: /^There is no such API key\.$/ }],
  [['keys', 'create', '--name', 'k', '--scope', 'root'], {}, 2, { code: 'validation_failed', message: /^scopes must name some of/ }],
  [['keys', 'create'], {}, 2, { code: 'usage', message: /^required option '--name <text>' not specified$/ }],
  [['keys', 'list', '--all'], {}, 2, { code: 'usage', message: /^unknown option '--all'$/ }],
  [
    ['applications', 'change', 'nobody', '--name', 'A'],
    {},
    1,
    { code: 'application_not_found', message: /^There is no such application\.$/ },
  ],
  [['token', '--user', ''], {}, 2, { code: 'validation_failed', message: /^A user name has/ }],
  [['doctor'], { PORT: 'x' }, 78, { code: 'not_configured', message: /^PORT must be/ }],
  [['migrate'], { DATABASE_URL: 'postgresql://127.0.0.1:1/none' }, 1, { code: 'failed', message: /PostgreSQL/ }],
  [['start'], { PORT: 'x' }, 78, { code: 'not_configured', message: /^PORT must be/ }],
])('%j --json with %j exits with %d and an object', async (args, ...[env, expected, { code, message }]) => {
  const result = await runCommandAt({ ...place, env }, [...args, '--json']);
  expect(result.code).toBe(expected);
  expect(JSON.parse(result.stdout)).toEqual({ error: { code, message: expect.stringMatching(message) } });
  expect(result.stdout).toMatch(/^[^\n]+\n$/);
  expect(result.stderr).not.toBe('');
  expect(result.stderr).not.toMatch(/^\s+at /m);
});

test.each<[readonly string[], Record<string, string>, number, RegExp]>([
  [['token'], {}, 2, /^error: required option '--user <name>' not specified\n/],
  [['token', '--user', 'ann', '--expires', '1y'], {}, 2, /Write a number and s, m, h or d, at most a year\./],
  [['token', '--user', 'ann', '--expires', '0s'], {}, 2, /Write a number/],
  [['serve'], {}, 2, /^error: unknown command 'serve'/],
  [['keys'], {}, 2, /^Usage: polylogue keys /],
  [['keys', 'create'], {}, 2, /^error: required option '--name <text>' not specified\n/],
  [['keys', 'create', '--name', 'k', '--scope', 'read,,write'], {}, 2, /Write names with commas between them\./],
  [['keys', 'revoke'], {}, 2, /^error: missing required argument 'id'\n/],
  [['keys', 'list', '--all'], {}, 2, /^error: unknown option '--all'\n/],
  [['applications', 'create', 'acme', '--name', 'A', '--secret-env', 'NO_SUCH'], {}, 2, /There is no such environment variable\./],
  [['token', '--user', ''], {}, 2, /^polylogue: A user name has 1 to 255 characters and no NUL\.\n$/],
  [['keys', 'create', '--name', 'k', '--scope', 'root'], {}, 2, /^polylogue: scopes must name some of read, write, admin, act_as\.\n$/],
  [['keys', 'create', '--name', 'k', '--dialect', 'telnet'], {}, 2, /^polylogue: dialects must name some of native, levia, .*\.\n$/],
  [['keys', 'create', '--name', 'k', '--tier', 'platinum'], {}, 2, /^polylogue: tier must be one of default, development\.\n$/],
  [['keys', 'create', '--name', 'k', '--user', ''], {}, 2, /^polylogue: .*user_id .*\n$/],
  [['keys', 'create', '--name', 'a\u001bb'], {}, 2, /^polylogue: name must have 1 to 100 visible characters\.\n$/],
  [['keys', 'create', '--name', 'k', '--application', 'acme'], {}, 1, /^polylogue: There is no such application\.\n$/],
  [['applications', 'create', 'Acme', '--name', 'A'], {}, 2, /^polylogue: id must have 1 to 63 characters a-z, 0-9 and -, .*\.\n$/],
  [['start'], { PORT: 'x' }, 78, /^polylogue: PORT must be an integer from 0 to 65535, not "x"\.\n$/],
  [['keys', 'list'], { PORT: 'x' }, 78, /^polylogue: PORT must be/],
  [['doctor'], { ALLOWED_ORIGINS: '*' }, 78, /^polylogue: ALLOWED_ORIGINS must list origins/],
  [
    ['start'],
    { NODE_ENV: 'production', JWT_SECRET_KEY: 'changeme' },
    78,
    /^polylogue: JWT_SECRET_KEY is a placeholder from an example: .*\n$/,
  ],
  [['token', '--user', 'service'], {}, 2, /^polylogue: No token speaks for service or anonymous: .*\.\n$/],
  [['keys', 'create', '--name', 'k', '--user', 'anonymous'], {}, 2, /^polylogue: user_id must not be "service" or "anonymous": .*\.\n$/],
  [['token', '--user', 'ann', '--application', 'acme'], {}, 1, /^polylogue: There is no such application\.\n$/],
  [
    ['token', '--user', 'ann'],
    { NODE_ENV: 'production', DATABASE_URL: 'postgresql://127.0.0.1:1/none' },
    1,
    /^polylogue: .*PostgreSQL.*\.\n$/,
  ],
])('%j with %j exits with %d and a sentence', async (args, ...[env, expected, message]) => {
  const { code, stdout, stderr } = await runCommandAt({ ...place, env }, args);
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect({ code, stdout }).toEqual({ code: expected, stdout: '' });
});
