import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { ConfigError } from '../config/config-error.ts';
import { AppError } from '../core/errors.ts';
import { addApplicationCommands } from './applications.ts';
import { addKeyCommands } from './keys.ts';
import { readDuration } from './options.ts';
import { print } from './print.ts';

/** EX_CONFIG of sysexits.h: the settings are wrong, and starting again will not help. */
const EXIT_CONFIG = 78;
const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;

/** Runs one command line (without node and script), an empty one as `start`. Failures are one sentence on standard error and an exit code, never a stack. */
export async function runCommand(args: readonly string[]): Promise<void> {
  try {
    await createProgram().parseAsync(args.length === 0 ? ['start'] : args, { from: 'user' });
  } catch (error) {
    process.stderr.write(`polylogue: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(isConfiguration(error) ? EXIT_CONFIG : EXIT_FAILURE);
  }
}

function isConfiguration(error: unknown): boolean {
  return error instanceof ConfigError || (error instanceof AppError && error.code === 'not_configured');
}

function createProgram(): Command {
  const program = new Command('polylogue')
    .description('A self-hosted server that keeps conversations and speaks every chat protocol.')
    .version(readVersion())
    .showHelpAfterError('(try --help)')
    // Commander has said what was wrong; what follows inherits this.
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT_USAGE));
  program
    .command('start')
    .description('serve until SIGTERM or SIGINT; also what happens without any command')
    .addHelpText('after', '\nExample:\n  PORT=8080 DATA_DIR=/var/lib/polylogue polylogue start')
    .action(async () => {
      const { start } = await import('./start.ts');
      await start();
    });
  addKeyCommands(program);
  addApplicationCommands(program);
  addTokenCommand(program);
  addUpkeepCommands(program);
  return program;
}

function addTokenCommand(program: Command): void {
  program
    .command('token')
    .description("print a user's token for the running server, or for one with the same settings")
    .requiredOption('--user <name>', 'whom the token speaks for')
    .option('--application <id>', 'whose user that is', 'default')
    .option('--expires <duration>', 'how long it is valid, such as 15m, 1h or 30d', readDuration, 3600)
    .option('--json', 'print an object with token, user_id and expires_at')
    .addHelpText('after', '\nExample:\n  TOKEN=$(polylogue token --user alice --expires 15m)')
    .action(async (options: { user: string; application: string; expires: number; json?: boolean }) => {
      const { createToken } = await import('./token.ts');
      const { user, application, expires, json } = options;
      const created = await createToken({ user, application, expiresInSeconds: expires });
      print(created, { json, words: `${created.token}\n` });
    });
}

function addUpkeepCommands(program: Command): void {
  program
    .command('doctor')
    .description('say what is configured, reachable, missing and unsafe; exits with 1 when something fails')
    .option('--json', 'print an array of findings')
    .addHelpText('after', '\nExample:\n  polylogue doctor')
    .action(async ({ json }: { json?: boolean }) => {
      const { printFindings } = await import('./doctor.ts');
      await printFindings(json);
    });
  program
    .command('migrate')
    .description('bring the stored data to the version of this program, as every start does by itself')
    .option('--json', 'print an object with from and to')
    .addHelpText('after', '\nExample:\n  polylogue migrate')
    .action(async ({ json }: { json?: boolean }) => {
      const { migrateStore } = await import('./migrate.ts');
      await migrateStore(json);
    });
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : 'unknown';
}
