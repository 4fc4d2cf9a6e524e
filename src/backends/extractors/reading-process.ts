import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Node's own walls: reading files is all that the process may do; it starts nothing, writes nothing and evaluates no strings. */
const WALLS = ['--permission', '--allow-fs-read=*', '--allow-worker', '--disallow-code-generation-from-strings'];

/** For JavaScript; PDFium's memory lies outside. */
const HEAP_MB = 256;

/**
 * Starts the process that reads documents: without environment variables (they hold secrets), without inherited streams, far from the data
 * directory. It ends when the channel to it closes.
 */
export function startReadingProcess(memoryBytes: number): ChildProcess {
  // The file that runs is this module's neighbour: TypeScript in the sources, JavaScript in a build.
  const file = new URL(import.meta.url.endsWith('.ts') ? './reader.ts' : './reader.js', import.meta.url);
  return fork(fileURLToPath(file), [String(memoryBytes)], {
    cwd: '/',
    env: {},
    execArgv: [...WALLS, `--max-old-space-size=${HEAP_MB}`],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
}

/** A process at work keeps the server from ending by itself; one that waits does not. */
export function keepAlive(child: ChildProcess, working: boolean): void {
  if (working) {
    child.ref();
    child.channel?.ref();
  } else {
    child.unref();
    child.channel?.unref();
  }
}

/** Kills a process; resolves when it is gone. */
export async function killProcess(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  keepAlive(child, true);
  child.kill('SIGKILL');
  await gone;
}
