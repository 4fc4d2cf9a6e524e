import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

export interface ProgramRun {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What it reads from standard input. */
  readonly input?: string;
}

export interface ProgramResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end while this process goes on serving. */
export async function runProgram(
  command: readonly [string, ...string[]],
  { cwd, env, input = '' }: ProgramRun = {},
): Promise<ProgramResult> {
  const [program, ...args] = command;
  const child = spawn(program, args, { cwd, env: env ?? process.env, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(input);
  const [[code], stdout, stderr] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)]);
  return { code: typeof code === 'number' ? code : null, stdout, stderr };
}

/** Runs a program that has to succeed; rejects with what it wrote to standard error. */
export async function runToSuccess(command: readonly [string, ...string[]], run: ProgramRun = {}): Promise<ProgramResult> {
  const result = await runProgram(command, run);
  if (result.code !== 0) throw new Error(`${command.join(' ')} ended with ${result.code}:\n${result.stderr}${result.stdout}`);
  return result;
}
