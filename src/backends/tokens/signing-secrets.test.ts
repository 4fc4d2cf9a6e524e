import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadSigningSecrets } from './signing-secrets.ts';

let dataDir: string;
let path: string;
beforeEach(() => {
  dataDir = join(mkdtempSync(join(tmpdir(), 'polylogue-secret-')), 'data');
  path = join(dataDir, 'jwt-secret');
});
afterEach(() => rmSync(join(dataDir, '..'), { recursive: true }));

const load = (settings: { signingSecrets?: readonly string[]; production?: boolean } = {}) =>
  loadSigningSecrets({ config: { signingSecrets: [], production: false, dataDir, ...settings } });

test('secrets that are set are taken, and no file is made', async () => {
  expect(await load({ signingSecrets: ['a', 'b'] })).toEqual(['a', 'b']);
  expect(await load({ production: true })).toEqual([]);
  expect(readdirSync(join(dataDir, '..'))).toEqual([]);
});

test('without one the server makes a secret that stays, for its own eyes only', async () => {
  const [secret] = await load();
  expect(secret).toMatch(/^[0-9a-f]{64}$/);
  expect(await load()).toEqual([secret]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(dataDir).mode & 0o777).toBe(0o700);
  expect(readFileSync(path, 'utf8')).toBe(`${secret}\n`);
  expect(readdirSync(dataDir)).toEqual(['jwt-secret']);
});

test('processes that start together agree on one secret', async () => {
  const secrets = await Promise.all(Array.from({ length: 20 }, () => load()));
  expect(new Set(secrets.flat()).size).toBe(1);
  expect(readdirSync(dataDir)).toEqual(['jwt-secret']);
});

test('a file that others can read is refused', async () => {
  await load();
  chmodSync(path, 0o640);
  await expect(load()).rejects.toThrow(/can be read by other users of this machine: run "chmod 600 /);
});

test('a symbolic link is refused, also one that leads nowhere', async () => {
  mkdirSync(dataDir);
  symlinkSync(join(dataDir, 'elsewhere'), path);
  await expect(load()).rejects.toThrow(/is a symbolic link/);
  writeFileSync(join(dataDir, 'elsewhere'), 'a'.repeat(64), { mode: 0o600 });
  await expect(load()).rejects.toThrow(/is a symbolic link/);
});

test.each(['', 'secret', 'g'.repeat(64), 'a'.repeat(65)])('a file that holds %j is refused', async (text) => {
  mkdirSync(dataDir);
  writeFileSync(path, text, { mode: 0o600 });
  await expect(load()).rejects.toThrow(/must hold 64 hexadecimal digits/);
});

test('a directory of that name is refused', async () => {
  mkdirSync(path, { recursive: true });
  await expect(load()).rejects.toThrow(/must be a regular file/);
});

test.runIf(process.getuid?.() === 0)('a file of another user is refused', async () => {
  await load();
  chownSync(path, 65_534, 65_534);
  await expect(load()).rejects.toThrow(/belongs to another user of this machine/);
});
