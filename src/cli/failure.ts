import type { CommanderError } from 'commander';
import { ConfigError } from '../config/config-error.ts';
import { AppError } from '../core/errors.ts';
import { print } from './print.ts';

const EXIT_FAILURE = 1;
/** What shells and their commands take for a wrong call. */
const EXIT_USAGE = 2;
/** EX_CONFIG of sysexits.h: the settings are wrong, and starting again will not help. */
const EXIT_CONFIG = 78;

/** Codes of failures that only another call of the command can mend. */
const USAGE_CODES: ReadonlySet<string> = new Set(['usage', 'validation_failed', 'request_invalid', 'unicode_invalid', 'body_too_large']);

/** What the control API answered to a command that could not be done; `code` is the API's. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Says why a command was not done, on standard error, with `json` also as an object on standard output, and gives the exit code. */
export async function reportFailure(error: unknown, json: boolean): Promise<number> {
  // So it ends help, too, and it has said on standard error what was wrong.
  const isCommander = isCommanderError(error);
  if (isCommander && error.exitCode === 0) return 0;
  const sentence = error instanceof Error ? error.message : String(error);
  if (!isCommander) process.stderr.write(`polylogue: ${sentence}\n`);
  const code = codeOf(error);
  const message = isCommander ? sentence.replace(/^error: /, '') : sentence;
  // An output that takes nothing is no further failure: standard error has it all.
  if (json) await print({ error: { code, message } }, { json, words: '' }).catch(() => undefined);
  return exitCodeOf(code);
}

/** By its code: the class would load a library that a server does not need. */
function isCommanderError(error: unknown): error is CommanderError {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('commander.');
}

function codeOf(error: unknown): string {
  if (isCommanderError(error)) return 'usage';
  if (error instanceof ConfigError) return 'not_configured';
  return error instanceof CommandError || error instanceof AppError ? error.code : 'failed';
}

function exitCodeOf(code: string): number {
  if (code === 'not_configured') return EXIT_CONFIG;
  return USAGE_CODES.has(code) ? EXIT_USAGE : EXIT_FAILURE;
}
