import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { ConfigError } from '../config/config-error.ts';
import { parseDuration } from './duration.ts';

/** EX_CONFIG of sysexits.h: the settings are wrong, and starting again will not help. */
const EXIT_CONFIG = 78;
const EXIT_FAILURE = 1;

/** Runs one command line (without node and script). Failures are one sentence on standard error and an exit code, never a stack. */
export async function runCommand(args: readonly string[]): Promise<void> {
  try {
    await createProgram().parseAsync(args, { from: 'user' });
  } catch (error) {
    process.stderr.write(`polylogue: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(error instanceof ConfigError ? EXIT_CONFIG : EXIT_FAILURE);
  }
}

function createProgram(): Command {
  const program = new Command('polylogue')
    .description('A self-hosted server that keeps conversations and speaks every chat protocol.')
    .version(readVersion())
    .showHelpAfterError('(try --help)');
  program
    .command('start', { isDefault: true })
    .description('serve until SIGTERM or SIGINT; settings come from the environment and polylogue.config.json')
    .action(async () => {
      const { start } = await import('./start.ts');
      await start();
    });
  program
    .command('token')
    .description("print a user's token for the server with the same settings")
    .requiredOption('--user <name>', 'whom the token speaks for')
    .option('--expires <duration>', 'how long it is valid, such as 15m, 1h or 30d', readDuration, 3600)
    .option('--json', 'print an object with token, user_id and expires_at')
    .action(printToken);
  return program;
}

async function printToken(options: { user: string; expires: number; json?: boolean }): Promise<void> {
  const { createToken } = await import('./token.ts');
  const created = await createToken({ user: options.user, expiresInSeconds: options.expires });
  process.stdout.write(`${options.json ? JSON.stringify(created) : created.token}\n`);
}

function readDuration(text: string): number {
  const seconds = parseDuration(text);
  if (seconds === null) throw new InvalidArgumentError('Write a number and s, m, h or d, at most a year.');
  return seconds;
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : 'unknown';
}
