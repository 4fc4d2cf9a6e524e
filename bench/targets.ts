import { type ChildProcess, fork, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Place } from './exchange.ts';
import { type Part, pinned } from './processors.ts';

const SECRET = 'b3f1c07d5a9e42688e0d6c1f7b24a95e0c8d7f61';
const START_MS = 60_000;
const UNBOUNDED = { requestsPerMinute: null, messagesPerMinute: null, messagesPerHour: null, concurrentRuns: null, connections: null };

/** A server under load. */
export interface Target extends Place {
  readonly pid: number;
  /** From its start to the first 200 on /ready. */
  readonly readyMs: number;
  stop(): Promise<void>;
}

/** A process that takes part in the load; it ends when it is disconnected. */
export interface Companion {
  readonly child: ChildProcess;
  readonly pid: number;
}

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Starts the deterministic provider; resolves with its address. */
export async function startUpstream(): Promise<Companion & { url: string }> {
  const companion = startCompanion('./upstream.ts', 'upstream');
  const [{ port }] = (await once(companion.child, 'message')) as [{ port: number }];
  return { ...companion, url: `http://127.0.0.1:${port}` };
}

/** Forks a script of the bench. */
export function startCompanion(
  name: './upstream.ts' | './load.ts' | './idle.ts' | './fan-out.ts' | './store-turns.ts',
  part: Part = 'generator',
): Companion {
  const [execPath, execArgv] = pinned(part, [process.execPath]);
  const child = fork(file(name), { execPath, execArgv });
  return { child, pid: child.pid ?? 0 };
}

/** Lets a companion go, which ends it. */
export function dismiss({ child }: Companion): void {
  if (child.connected) child.disconnect();
}

/** The answer of a companion; rejects with what went wrong there. */
export async function ask<Answer extends object>({ child }: Companion, question: object): Promise<Answer> {
  const over = new AbortController();
  child.send(question);
  const answer = await Promise.race([
    once(child, 'message', over).then(([message]) => message as Answer | { failed: string }),
    once(child, 'exit', over).then(([code]) => ({ failed: `A part of the load ended with ${String(code)}` })),
  ]).finally(() => over.abort());
  if ('failed' in answer) throw new Error(String(answer.failed));
  return answer;
}

/** The yardstick. */
export async function startBareRelay(upstream: string): Promise<Target> {
  const child = spawn(...pinned('target', [process.execPath, file('./bare-relay.ts'), upstream]), { stdio: ['ignore', 'pipe', 'inherit'] });
  return { url: await addressOf(child), token: '', pid: child.pid ?? 0, readyMs: 0, stop: () => end(child) };
}

/** How the server under load runs. */
export interface ServerSetting {
  readonly databaseUrl: string | null;
  /** A folder for CPU profiles of all its threads; null measures instead. */
  readonly profileTo: string | null;
  /** More of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where its data is, and stays when it stops; else in a directory that goes with it. */
  readonly directory?: string;
  /** Starts it by `npm start`, on any processor, as its users do. */
  readonly byNpm?: boolean;
}

/** The built server, with authentication, limits counted but without bounds, and every message stored. */
export async function startPolylogue(upstream: string, setting: ServerSetting): Promise<Target> {
  const { databaseUrl, profileTo, env, byNpm = false } = setting;
  const directory = setting.directory ?? (await mkdtemp(join(tmpdir(), 'polylogue-bench-')));
  const tier = { user: UNBOUNDED, application: UNBOUNDED };
  const config = join(directory, 'polylogue.config.json');
  await writeFile(config, JSON.stringify({ version: 1, tiers: { default: tier } }));
  const begun = performance.now();
  const profiling = profileTo === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileTo}`];
  const server = pinned('target', [process.execPath, ...profiling, file('../dist/main.js')]);
  const [program, args] = byNpm ? pinned('anywhere', ['npm', 'start']) : server;
  const child = spawn(program, args, {
    cwd: byNpm ? file('..') : directory,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      npm_config_loglevel: 'error',
      PORT: '0',
      DATA_DIR: join(directory, 'data'),
      POLYLOGUE_CONFIG: config,
      OPENAI_BASE_URL: `${upstream}/v1`,
      OPENAI_API_KEY: 'bench',
      JWT_SECRET_KEY: SECRET,
      ...(databaseUrl !== null && { DATABASE_URL: databaseUrl }),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const stop = async () => {
    await end(child);
    if (setting.directory === undefined) await rm(directory, { recursive: true, force: true });
  };
  try {
    const url = await addressOf(child);
    await untilReady(url);
    return { url, token: signToken(), pid: child.pid ?? 0, readyMs: performance.now() - begun, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function addressOf(child: ChildProcess): Promise<string> {
  let said = '';
  return new Promise<string>((resolve, reject) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (said.length < 100_000) said += text;
      const url = /listening on (http:\/\/[^\s"]+)/.exec(said)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`The server ended instead of starting:\n${said}`)));
  });
}

async function untilReady(url: string): Promise<void> {
  const signal = AbortSignal.timeout(START_MS);
  while (!(await fetch(`${url}/ready`, { signal })).ok) await sleep(5, undefined, { signal });
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
