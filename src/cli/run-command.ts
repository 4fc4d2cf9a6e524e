import { reportFailure } from './failure.ts';
import { beginWithServerHeap, keepYoungGenerationsSmall } from './server-heap.ts';

/**
 * Runs one command line (without node and script), an empty one as `start`. Failures are one sentence on standard error and an exit code, never
 * a stack; with `--json` also an object on standard output.
 */
export async function runCommand(args: readonly string[]): Promise<void> {
  try {
    // What reads command lines is loaded only where there is something to read: a server keeps all that it has loaded.
    if (isPlainStart(args)) await startServer();
    else await (await import('./program.ts')).runProgram(args);
  } catch (error) {
    process.exit(await reportFailure(error, args.includes('--json')));
  }
}

function isPlainStart([command = 'start', ...options]: readonly string[]): boolean {
  return command === 'start' && options.every((option) => option === '--json');
}

async function startServer(): Promise<void> {
  beginWithServerHeap(process);
  const letThemGrow = keepYoungGenerationsSmall();
  const { start } = await import('./start.ts');
  await start();
  letThemGrow();
  // What the start leaves behind is a tenth of all that the server then has.
  globalThis.gc?.({ type: 'major', flavor: 'last-resort' });
}
