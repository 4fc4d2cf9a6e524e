import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addApplicationCommands } from './applications.ts';
import { addKeyCommands } from './keys.ts';
import { durationOption } from './options.ts';
import { print } from './print.ts';

/** Does what a command line (without node and script) says; rejects when it cannot be read or done. */
export async function runProgram(args: readonly string[]): Promise<void> {
  await createProgram().parseAsync(args, { from: 'user' });
}

function createProgram(): Command {
  const program = new Command('polylogue')
    .description('A self-hosted server that keeps conversations and speaks every chat protocol.')
    .version(readVersion())
    .showHelpAfterError('(try --help)')
    // Instead of ending the process; what follows inherits this.
    .exitOverride();
  program
    .command('start')
    .description('serve until SIGTERM or SIGINT; also what happens without any command')
    .option('--json', 'print an object when the start fails; the log is lines of JSON in any case')
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
    .addOption(durationOption('how long it is valid, such as 15m, 1h or 30d').default(3600, '1h'))
    .option('--json', 'print an object with token, user_id and expires_at')
    .addHelpText('after', '\nExample:\n  TOKEN=$(polylogue token --user alice --expires 15m)')
    .action(async (options: { user: string; application: string; expires: number; json?: boolean }) => {
      const { createToken } = await import('./token.ts');
      const { user, application, expires, json } = options;
      const created = await createToken({ user, application, expiresInSeconds: expires });
      await print(created, { json, words: `${created.token}\n` });
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
