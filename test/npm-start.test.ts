import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Stands for the application: prints its process id, and takes a moment to drain. */
const APP = `export async function startApp() {
  const timer = setInterval(() => undefined, 1000);
  const close = async () => {
    process.stdout.write('draining\\n');
    await new Promise((resolve) => setTimeout(resolve, 300));
    clearInterval(timer);
    process.stdout.write('drained\\n');
  };
  return { url: 'pid:' + process.pid + ';', close };
}
`;

let directory: string;
let servers: number[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'polylogue-npm-'));
  for (const part of ['package.json', 'dist', 'scripts']) cpSync(join(root, part), join(directory, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
  writeFileSync(join(directory, 'dist/app.js'), APP);
});
afterEach(() => {
  for (const server of servers.filter(isAlive)) process.kill(server, 'SIGKILL');
  servers = [];
  rmSync(directory, { recursive: true });
});

/** Starts the server as a user does, in a process group of its own, and waits until it serves. */
async function npmStart(): Promise<{ npm: ChildProcess; group: number; server: number; output: () => string }> {
  const npm = spawn('npm', ['start'], { cwd: directory, detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  let output = '';
  npm.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  while (!output.includes('listening')) await once(npm.stdout, 'data');
  const server = Number(/pid:(\d+);/.exec(output)?.[1]);
  servers.push(server);
  return { npm, group: npm.pid ?? 0, server, output: () => output };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

test.each([
  ['SIGTERM', 'npm alone, as a container does'],
  ['SIGINT', 'the whole group, as Ctrl-C does'],
  ['SIGTERM', 'the whole group'],
] as const)('%s to %s drains the server, and npm waits for it', async (signal, target) => {
  const { npm, group, server, output } = await npmStart();
  process.kill(target.startsWith('npm') ? group : -group, signal);
  const [code] = await once(npm, 'exit');
  expect(output().match(/drain(ing|ed)/g)).toEqual(['draining', 'drained']);
  expect({ code, alive: isAlive(server) }).toEqual({ code: 0, alive: false });
});
