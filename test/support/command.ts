import { fileURLToPath } from 'node:url';
import { type ProgramResult, runProgram } from './run-program.ts';
import { bareEnvironment } from './server-process.ts';

/** The built `polylogue` command. */
export const COMMAND = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** What commands of one place have in common. */
export interface CommandPlace {
  /** Where they run: holds `data` unless DATA_DIR says otherwise. */
  readonly directory: string;
  /** Environment variables beside the least that a program needs. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs the built command to its end. */
export function runCommandAt({ directory, env = {} }: CommandPlace, args: readonly string[]): Promise<ProgramResult> {
  return runProgram([process.execPath, COMMAND, ...args], { cwd: directory, env: bareEnvironment({ PORT: '0', ...env }) });
}

/** Runs a command that has to succeed with `--json`, and gives what it printed. */
export async function runForJson<Printed>(place: CommandPlace, args: readonly string[]): Promise<Printed> {
  const { code, stdout, stderr } = await runCommandAt(place, [...args, '--json']);
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`);
  if (!/^[^\n]+\n$/.test(stdout)) throw new Error(`${args.join(' ')} printed more than one line: ${stdout}`);
  return JSON.parse(stdout);
}
