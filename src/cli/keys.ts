import type { Command } from 'commander';
import type { CreateKeyBody, KeyView } from '../http/control-wire.ts';
import { type Administration, askOnce, askWith } from './administration.ts';
import { durationOption, readList } from './options.ts';
import { print } from './print.ts';
import { renderTable, shortTime, toVisible } from './table.ts';

const COLUMNS = ['ID', 'NAME', 'KEY', 'APPLICATION', 'SCOPES', 'DIALECTS', 'USER', 'TIER', 'EXPIRES', 'LAST USED', 'STATE'];

interface CreateOptions {
  readonly name: string;
  readonly application: string;
  readonly scope?: readonly string[];
  readonly dialect?: readonly string[];
  readonly user?: string;
  readonly tier?: string;
  readonly expires?: number;
  readonly json?: boolean;
}

/** Adds `keys create`, `keys list` and `keys revoke`. */
export function addKeyCommands(program: Command): void {
  const keys = program.command('keys').description('make, list and revoke API keys');
  keys
    .command('create')
    .description('make an API key and print it, this once')
    .requiredOption('--name <text>', 'what it is for, so that you know it again')
    .option('--application <id>', 'whose key it is', 'default')
    .option('--scope <list>', 'some of read,write,admin,act_as (default: read,write,act_as; with --user: read,write)', readList)
    .option('--dialect <list>', 'where it may be used, such as levia,native (default: everywhere)', readList)
    .option('--user <name>', 'the one user it acts for, for keys in browsers and apps')
    .option('--tier <name>', "its allowance (default: its application's)")
    .addOption(durationOption('when it ends, such as 12h or 90d (default: never)'))
    .option('--json', 'print an object with everything about it')
    .addHelpText('after', '\nExample:\n  polylogue keys create --name backend --expires 90d')
    .action(createKey);
  keys
    .command('list')
    .description('show API keys, newest first; the keys themselves are stored nowhere')
    .option('--application <id>', "only this application's")
    .option('--json', 'print an array')
    .addHelpText('after', '\nExample:\n  polylogue keys list --application acme')
    .action(listKeys);
  keys
    .command('revoke')
    .description('end an API key, its tokens and its open streams, within a second')
    .argument('<id>', 'as "keys list" shows it')
    .option('--json', 'print the key as an object')
    .addHelpText('after', '\nExample:\n  polylogue keys revoke 019a8a3e-5c1f-7d20-9f5e-0c6d2b1a4e77')
    .action(revokeKey);
}

async function createKey(options: CreateOptions): Promise<void> {
  const { name, application, dialect, user, tier, expires, json } = options;
  const body: CreateKeyBody = {
    application,
    name,
    scopes: [...(options.scope ?? (user === undefined ? ['read', 'write', 'act_as'] : ['read', 'write']))],
    ...(dialect !== undefined && { dialects: [...dialect] }),
    ...(user !== undefined && { user_id: user }),
    ...(tier !== undefined && { tier }),
    ...(expires !== undefined && { expires_in: expires }),
  };
  const created = await askOnce<KeyView & { readonly key: string }>({ method: 'POST', path: '/keys', body });
  try {
    await print(created, { json, words: `${created.key}\n` });
  } catch (error) {
    // A key that nobody has seen would live on unseen.
    await askOnce<KeyView>({ method: 'DELETE', path: `/keys/${encodeURIComponent(created.id)}` });
    throw new Error(`${error instanceof Error ? error.message : String(error)} The new key, which nobody has seen, is revoked again.`, {
      cause: error,
    });
  }
  // For people only: in a script nothing has gone wrong.
  if (!json && process.stderr.isTTY)
    process.stderr.write(`This is the key "${toVisible(name)}" (${created.id}). Keep it now: it cannot be shown again.\n`);
}

async function listKeys({ application, json }: { application?: string; json?: boolean }): Promise<void> {
  const data = await askWith((ask) => allKeys(ask, application));
  const now = new Date().toISOString();
  await print(data, {
    json,
    words:
      data.length === 0
        ? 'There are no keys.\n'
        : renderTable(
            COLUMNS,
            data.map((key) => rowOf(key, now)),
          ),
  });
}

/** Reads the list page by page. */
async function allKeys(ask: Administration['ask'], application: string | undefined): Promise<readonly KeyView[]> {
  const keys: KeyView[] = [];
  let after: string | null = null;
  do {
    const query = new URLSearchParams({ ...(application !== undefined && { application }), ...(after !== null && { after }) });
    const page: KeyPage = await ask<KeyPage>({ method: 'GET', path: `/keys?${query}` });
    keys.push(...page.data);
    after = page.next;
  } while (after !== null);
  return keys;
}

interface KeyPage {
  readonly data: readonly KeyView[];
  readonly next: string | null;
}

async function revokeKey(id: string, { json }: { json?: boolean }): Promise<void> {
  const key = await askOnce<KeyView>({ method: 'DELETE', path: `/keys/${encodeURIComponent(id)}` });
  await print(key, { json, words: `The key "${toVisible(key.name)}" (${key.id}) is revoked.\n` });
}

function rowOf(key: KeyView, now: string): readonly string[] {
  const { id, name, hint, application, scopes, dialects, user_id, tier, expires_at, last_used_at } = key;
  const dialectNames = dialects?.join(',') ?? 'all';
  const times = [shortTime(expires_at), shortTime(last_used_at)];
  return [id, name, `...${hint}`, application, scopes.join(','), dialectNames, user_id ?? '-', tier ?? '-', ...times, stateOf(key, now)];
}

function stateOf({ revoked_at, expires_at }: KeyView, now: string): string {
  if (revoked_at !== null) return 'revoked';
  return expires_at !== null && expires_at <= now ? 'expired' : 'active';
}
