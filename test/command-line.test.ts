import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../src/backends/clock/system-clock.ts';
import { createCredentials } from '../src/backends/tokens/credentials.ts';
import { loadSigningSecrets } from '../src/backends/tokens/signing-secrets.ts';

const command = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'polylogue-cli-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

function run(args: readonly string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], { cwd, env, encoding: 'utf8' });
  return { status, stdout, stderr };
}

async function verify(token: string) {
  const secrets = await loadSigningSecrets({ config: { signingSecrets: [], production: false, dataDir: join(cwd, 'data') } });
  return createCredentials({ secrets, developmentKey: null, clock: systemClock }).verify(token);
}

test('the built command can be executed and shows help and version', () => {
  accessSync(command, constants.X_OK);
  expect(run(['--version'])).toEqual({ status: 0, stdout: '0.1.0\n', stderr: '' });
  const help = run(['--help']);
  expect(help.status).toBe(0);
  expect(help.stdout).toMatch(/start .*token /s);
});

test('token prints one that a server in the same place accepts', async () => {
  const { status, stdout, stderr } = run(['token', '--user', 'ann']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(await verify(stdout.trim())).toMatchObject({ kind: 'user', applicationId: 'default', userId: 'ann' });
});

test('token --json tells until when', async () => {
  const before = Date.now();
  const printed = JSON.parse(run(['token', '--user', 'ann', '--expires', '2d', '--json']).stdout);
  expect(Object.keys(printed)).toEqual(['token', 'user_id', 'expires_at']);
  expect(printed.user_id).toBe('ann');
  expect(Math.abs(Date.parse(printed.expires_at) - before - 2 * 86_400_000)).toBeLessThan(60_000);
  expect(await verify(printed.token)).toMatchObject({ userId: 'ann' });
});

test.each<[readonly string[], Record<string, string>, number, RegExp]>([
  [['token'], {}, 1, /^error: required option '--user <name>' not specified\n/],
  [['token', '--user', 'ann', '--expires', '1y'], {}, 1, /Write a number and s, m, h or d, at most a year\./],
  [['token', '--user', 'ann', '--expires', '0s'], {}, 1, /Write a number/],
  [['token', '--user', ''], {}, 1, /^polylogue: A user name has 1 to 255 characters and no NUL\.\n$/],
  [['serve'], {}, 1, /^error: /],
  [['token', '--user', 'ann'], { NODE_ENV: 'production' }, 78, /^polylogue: With NODE_ENV=production nobody could sign in: .*\n$/],
  [
    ['token', '--user', 'ann'],
    { NODE_ENV: 'production', JWKS_URL: 'https://x' },
    78,
    /^polylogue: In production a token needs JWT_SECRET_KEY .*\n$/,
  ],
  [['start'], { PORT: 'x' }, 78, /^polylogue: PORT must be an integer from 0 to 65535, not "x"\.\n$/],
  [
    ['start'],
    { NODE_ENV: 'production', JWT_SECRET_KEY: 'changeme' },
    78,
    /^polylogue: JWT_SECRET_KEY is a placeholder from an example: .*\n$/,
  ],
])('%j with %j exits with %d and a sentence', (args, ...[env, code, message]) => {
  const { status, stdout, stderr } = run(args, env);
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect({ status, stdout }).toEqual({ status: code, stdout: '' });
});
