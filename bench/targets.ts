import { type ChildProcess, fork, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SECRET = 'b3f1c07d5a9e42688e0d6c1f7b24a95e0c8d7f61';
const START_MS = 30_000;
const UNBOUNDED = { requestsPerMinute: null, messagesPerMinute: null, messagesPerHour: null, concurrentRuns: null, connections: null };

/** A server under load. */
export interface Target {
  readonly url: string;
  readonly token: string;
  readonly pid: number;
  /** From its start to the first 200 on /ready. */
  readonly readyMs: number;
  stop(): Promise<void>;
}

/** Something that runs beside the target, on the other processor. */
export interface Companion {
  readonly child: ChildProcess;
  readonly pid: number;
}

/** The target has the first processor for itself; what asks and answers shares the second. */
const pinned = (processor: 0 | 1, command: readonly string[]): [string, string[]] => ['taskset', ['-c', String(processor), ...command]];

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Starts the deterministic provider; resolves with its address. */
export async function startUpstream(): Promise<Companion & { url: string }> {
  const companion = startCompanion('./upstream.ts');
  const [{ port }] = (await once(companion.child, 'message')) as [{ port: number }];
  return { ...companion, url: `http://127.0.0.1:${port}` };
}

/** Forks a script of the bench on the second processor. */
export function startCompanion(name: './upstream.ts' | './load.ts' | './idle.ts' | './fan-out.ts'): Companion {
  const child = fork(file(name), { execPath: 'taskset', execArgv: ['-c', '1', process.execPath] });
  return { child, pid: child.pid ?? 0 };
}

/** The yardstick. */
export async function startBareRelay(upstream: string): Promise<Target> {
  const child = spawn(...pinned(0, [process.execPath, file('./bare-relay.ts'), upstream]), { stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await addressOf(child);
  return { url, token: '', pid: child.pid ?? 0, readyMs: 0, stop: () => end(child) };
}

/** How the server under load runs. */
export interface ServerSetting {
  readonly databaseUrl: string | null;
  /** A folder for CPU profiles of all its threads; null measures instead. */
  readonly profileTo: string | null;
}

/** The built server, with authentication, limits counted but without bounds, and every message stored. */
export async function startPolylogue(upstream: string, { databaseUrl, profileTo }: ServerSetting): Promise<Target> {
  const directory = await mkdtemp(join(tmpdir(), 'polylogue-bench-'));
  const tier = { user: UNBOUNDED, application: UNBOUNDED };
  await writeFile(join(directory, 'polylogue.config.json'), JSON.stringify({ version: 1, tiers: { default: tier } }));
  const begun = performance.now();
  const profiling = profileTo === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileTo}`];
  const child = spawn(...pinned(0, [process.execPath, ...profiling, file('../dist/main.js')]), {
    cwd: directory,
    env: {
      PATH: process.env.PATH,
      PORT: '0',
      OPENAI_BASE_URL: `${upstream}/v1`,
      OPENAI_API_KEY: 'bench',
      JWT_SECRET_KEY: SECRET,
      ...(databaseUrl !== null && { DATABASE_URL: databaseUrl }),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await addressOf(child);
  await untilReady(url);
  const readyMs = performance.now() - begun;
  const stop = async () => {
    await end(child);
    await rm(directory, { recursive: true, force: true });
  };
  return { url, token: signToken(), pid: child.pid ?? 0, readyMs, stop };
}

async function addressOf(child: ChildProcess): Promise<string> {
  let said = '';
  const found = new Promise<string>((resolve, reject) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (said.length < 100_000) said += text;
      const url = /listening on (http:\/\/[^\s"]+)/.exec(said)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.once('exit', () => reject(new Error(`The server ended instead of starting:\n${said}`)));
  });
  return found;
}

async function untilReady(url: string): Promise<void> {
  const deadline = AbortSignal.timeout(START_MS);
  while (!(await fetch(`${url}/ready`, { signal: deadline })).ok) await new Promise((resolve) => setTimeout(resolve, 10));
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

function signToken(): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: 'bench', exp: Math.floor(Date.now() / 1000) + 86_400 })}`;
  return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
}
