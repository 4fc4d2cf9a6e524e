import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DEVELOPMENT_KEY } from './app.ts';

const SERVER = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const START_MS = 20_000;

/** The built server as a child process on a loopback port of the system's choice. */
export interface ServerProcess {
  readonly url: string;
  readonly pid: number;
  /** Everything it wrote to standard output and standard error. */
  output(): string;
  /** Sends a request with the development key unless `headers` names an `authorization`. */
  send(path: string, init?: RequestInit): Promise<Response>;
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** Sends a signal and gives the exit code, null when the signal itself ended the process. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

export interface ServerProcessOptions {
  /** Where it runs: holds `polylogue.config.json` and, unless DATA_DIR says otherwise, `data`. */
  readonly directory: string;
  /** Environment variables beside the least that a program needs. */
  readonly env?: Readonly<Record<string, string>>;
  /** What to start instead of the built server, as program and arguments; in a process group of its own. */
  readonly command?: readonly [string, ...string[]];
}

/** An empty directory for a server, with a configuration file when there is something to configure. */
export async function createServerDirectory(settings: object | null = null): Promise<{ directory: string; remove(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'polylogue-server-'));
  if (settings !== null) await writeFile(join(directory, 'polylogue.config.json'), JSON.stringify({ version: 1, ...settings }));
  return { directory, remove: () => rm(directory, { recursive: true, force: true }) };
}

/** The least environment in which a program runs, and `env`. */
export function bareEnvironment(env: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { PATH = '/usr/local/bin:/usr/bin:/bin', HOME = tmpdir() } = process.env;
  return { PATH, HOME, LANG: 'C.UTF-8', ...env };
}

/** Starts a server and waits until it is ready. Rejects with its output when it ends instead. */
export async function startServerProcess(options: ServerProcessOptions): Promise<ServerProcess> {
  const { directory, env = {}, command = [process.execPath, SERVER] } = options;
  const [program, ...args] = command;
  const child = spawn(program, args, {
    cwd: directory,
    env: bareEnvironment({ PORT: '0', ...env }),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: options.command !== undefined,
  });
  const { output, url, exited } = watch(child);
  const address = await url;
  await untilReady(address, output).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  const send = (path: string, init: RequestInit = {}) => {
    const headers = new Headers({ authorization: `Bearer ${DEVELOPMENT_KEY}`, ...init.headers });
    return fetch(address + path, { ...init, headers });
  };
  return {
    url: address,
    pid: child.pid ?? 0,
    output,
    send,
    post: (path, body, headers = {}) =>
      send(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } }),
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      return exited;
    },
  };
}

/** Collects what a child says; `url` is where its log says it listens. */
function watch(child: ChildProcess): { output: () => string; url: Promise<string>; exited: Promise<number | null> } {
  let text = '';
  const exited = once(child, 'exit').then(([code]) => (typeof code === 'number' ? code : null));
  const url = new Promise<string>((resolve, reject) => {
    const read = (piece: string) => {
      text += piece;
      const found = /"msg":"listening on (http:[^"]+)"/.exec(text);
      if (found?.[1] !== undefined) resolve(found[1]);
    };
    child.stdout?.setEncoding('utf8').on('data', read);
    child.stderr?.setEncoding('utf8').on('data', read);
    exited.then(
      (code) => reject(new Error(`The server ended with ${code} instead of listening:\n${text}`)),
      (error: unknown) => reject(error),
    );
  });
  return { output: () => text, url, exited };
}

async function untilReady(url: string, output: () => string): Promise<void> {
  const deadline = AbortSignal.timeout(START_MS);
  while (!deadline.aborted) {
    const { status } = await fetch(`${url}/ready`);
    if (status === 200) return;
    await sleep(20);
  }
  throw new Error(`The server listens but does not get ready:\n${output()}`);
}
