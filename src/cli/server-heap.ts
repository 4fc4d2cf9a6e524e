import { setFlagsFromString } from 'node:v8';

/**
 * How V8 lays out the heaps of a server; bench/NOTES.md has the figures. By itself it lets the young generation of each thread grow to 128 MB, of
 * which four times 4 MB work as fast, and lets garbage become three times of what lives. Threads can give back what only their start needed.
 */
const FLAGS = ['--max-semi-space-size=4', '--heap-growing-percent=100', '--expose-gc'] as const;

/** Of glibc's heaps: each thread's own would keep what it has once used. */
const MALLOC_ARENA_MAX = '2';

/** What of a process decides whether it can and should begin again. */
interface Beginning {
  readonly execPath: string;
  readonly execArgv: readonly string[];
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether a parent talks to it over a channel, which would not survive. */
  readonly connected?: boolean;
  readonly execve?: (file: string, args: readonly string[], env: NodeJS.ProcessEnv) => never;
}

/**
 * Begins this process anew, under the same id and with the same input and output, because a heap is laid out once and no flag changes it
 * later. Does nothing where that is done or impossible, or somebody has chosen another size of the young generation.
 */
export function beginWithServerHeap({ execPath, execArgv, argv, env, connected, execve }: Beginning): void {
  const chosen = [...execArgv, env.NODE_OPTIONS ?? ''].some((flags) => /--(max|min)[-_]semi[-_]space[-_]size/.test(flags));
  if (chosen || connected === true || execve === undefined) return;
  execve(execPath, [execPath, ...FLAGS, ...execArgv, ...argv.slice(1)], { MALLOC_ARENA_MAX, ...env });
}

/** Keeps the young generations of all threads small, which while a program is loaded would grow for nothing, until the function is called. */
export function keepYoungGenerationsSmall(): () => void {
  setFlagsFromString('--semi-space-growth-factor=1');
  return () => setFlagsFromString('--semi-space-growth-factor=2');
}
