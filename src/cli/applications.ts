import type { Command } from 'commander';
import type { ApplicationView, ChangeApplicationBody } from '../http/control-wire.ts';
import { askOnce } from './administration.ts';
import { readSecret } from './options.ts';
import { print } from './print.ts';
import { renderTable, shortTime, toVisible } from './table.ts';

const COLUMNS = ['ID', 'NAME', 'TIER', 'JWKS', 'SECRETS', 'ISSUER', 'AUDIENCE', 'CREATED'];

/** False is what a `--no-` option says. */
interface SettingOptions {
  readonly name?: string;
  readonly tier?: string | false;
  readonly jwksUrl?: string | false;
  readonly issuer?: string | false;
  readonly audience?: string | false;
  readonly secretEnv?: readonly string[];
  readonly secrets?: false;
  readonly json?: boolean;
}

/** Adds `applications create`, `applications change` and `applications list`. */
export function addApplicationCommands(program: Command): void {
  const applications = program.command('applications').description('make, change and list applications, the tenants of this server');
  addSettings(applications.command('create').description('make an application'))
    .requiredOption('--name <text>', 'for people')
    .addHelpText(
      'after',
      '\nExample:\n  polylogue applications create acme --name "Acme Inc." --jwks-url https://login.acme.example/jwks.json',
    )
    .action(createApplication);
  addSettings(applications.command('change').description('change an application; what is left out stays'))
    .option('--name <text>', 'for people')
    .option('--no-tier', 'give it the tier "default" again')
    .option('--no-jwks-url', 'forget where its public keys are')
    .option('--no-issuer', 'take any "iss"')
    .option('--no-audience', 'take any "aud"')
    .option('--no-secrets', 'forget its secrets')
    .addHelpText('after', '\nExample:\n  polylogue applications change acme --secret-env NEW_SECRET --secret-env OLD_SECRET')
    .action(changeApplication);
  applications
    .command('list')
    .description('show all applications')
    .option('--json', 'print an array')
    .addHelpText('after', '\nExample:\n  polylogue applications list --json')
    .action(listApplications);
}

function addSettings(command: Command): Command {
  return command
    .argument('<id>', 'a-z, 0-9 and -; tokens of its users name it in the claim "application"')
    .option('--tier <name>', 'its allowance, one of the tiers in polylogue.config.json')
    .option('--jwks-url <address>', 'where the public keys are that verify its tokens')
    .option('--issuer <text>', 'what its tokens must carry as "iss"')
    .option('--audience <text>', 'what its tokens must carry among "aud"')
    .option(
      '--secret-env <variable>',
      'environment variable with a secret that signs its tokens (HS256); give it twice to change over',
      readSecret,
    )
    .option('--json', 'print the application as an object');
}

async function createApplication(id: string, options: SettingOptions): Promise<void> {
  const body = { id, ...settingsOf(options) };
  const application = await askOnce<ApplicationView>({ method: 'POST', path: '/applications', body });
  await print(application, { json: options.json, words: `The application "${id}" is made.\n` });
}

async function changeApplication(id: string, options: SettingOptions): Promise<void> {
  const path = `/applications/${encodeURIComponent(id)}`;
  const application = await askOnce<ApplicationView>({ method: 'PATCH', path, body: settingsOf(options) });
  await print(application, { json: options.json, words: `The application "${id}" is changed.\n` });
}

async function listApplications({ json }: { json?: boolean }): Promise<void> {
  const { data } = await askOnce<{ readonly data: readonly ApplicationView[] }>({ method: 'GET', path: '/applications' });
  await print(data, { json, words: renderTable(COLUMNS, data.map(rowOf)) });
}

function settingsOf({ name, tier, jwksUrl, issuer, audience, secretEnv, secrets }: SettingOptions): ChangeApplicationBody {
  return {
    ...(name !== undefined && { name }),
    ...(tier !== undefined && { tier: orNull(tier) }),
    ...(jwksUrl !== undefined && { jwks_url: orNull(jwksUrl) }),
    ...(issuer !== undefined && { issuer: orNull(issuer) }),
    ...(audience !== undefined && { audience: orNull(audience) }),
    ...(secrets === false && { secrets: [] }),
    ...(secretEnv !== undefined && { secrets: [...secretEnv] }),
  };
}

function orNull(option: string | false): string | null {
  return option === false ? null : option;
}

function rowOf({ id, name, tier, jwks_url, secrets, issuer, audience, created_at }: ApplicationView): readonly string[] {
  return [id, toVisible(name), tier ?? '-', jwks_url ?? '-', String(secrets), issuer ?? '-', audience ?? '-', shortTime(created_at)];
}
