import { isIPv4, isIPv6 } from 'node:net';
import { dirname, resolve } from 'node:path';
import { parseDestination } from '../core/destination.ts';
import { ConfigError } from './config-error.ts';
import type { ConfigFile, PlaceOf } from './config-file.ts';
import { type Environment, namedVariable } from './environment.ts';

/** How an MCP server is reached. Holds what its variables hold: never log it. */
type McpTransportConfig =
  | {
      readonly kind: 'stdio';
      readonly command: string;
      readonly args: readonly string[];
      readonly env: Readonly<Record<string, string>>;
      /** Absolute path. */
      readonly cwd: string;
    }
  | {
      readonly kind: 'http';
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly oauth: {
        readonly issuer: string;
        readonly clientId: string;
        readonly clientSecret: string;
        readonly scope: string | null;
      } | null;
    };

/** An MCP server that the settings name. */
export interface McpServerConfig {
  readonly name: string;
  /** Whose agents may use it; null: everybody's. */
  readonly applications: readonly string[] | null;
  readonly transport: McpTransportConfig;
}

/** Their tools would be called like built-in ones. */
const RESERVED_NAMES: readonly string[] = ['builtin', 'http', 'search'];
/** What may stand in a header's value (RFC 9110 section 5.5). */
const HEADER_VALUE = /^[\t\x20-\x7e]+$/;

interface Reading {
  readonly env: Environment;
  readonly placeIn: PlaceOf;
  /** The configuration file's directory. */
  readonly directory: string;
}

type Entry = NonNullable<ConfigFile['mcp']>[string];

/** The file's MCP servers with what their environment variables hold. `path` is the file's own. */
export function readMcpServers(
  env: Environment,
  { mcp = {} }: ConfigFile,
  { placeOf, path }: { readonly placeOf: PlaceOf; readonly path: string },
): readonly McpServerConfig[] {
  return Object.entries(mcp).map(([name, entry]) => {
    const reading: Reading = { env, placeIn: (...names) => placeOf('mcp', name, ...names), directory: dirname(path) };
    if (RESERVED_NAMES.includes(name.toLowerCase())) throw new ConfigError(`${reading.placeIn()} uses a reserved name: choose another.`);
    if ((entry.command === undefined) === (entry.url === undefined))
      throw new ConfigError(`${reading.placeIn()} needs either command or url.`);
    const transport = entry.url === undefined ? readProcess(entry, reading) : readHttp(entry, entry.url, reading);
    return { name, applications: entry.applications ?? null, transport };
  });
}

function readProcess(entry: Entry, { env, placeIn, directory }: Reading): McpTransportConfig {
  for (const name of ['tokenEnv', 'headers', 'oauth'] as const)
    if (entry[name] !== undefined) throw new ConfigError(`${placeIn(name)} has no meaning without url.`);
  const { command = '', args = [], cwd = '.' } = entry;
  const variables = (entry.env ?? []).map((name) => [name, namedVariable(env, name, placeIn('env'))] as const);
  return { kind: 'stdio', command, args, env: Object.fromEntries(variables), cwd: resolve(directory, cwd) };
}

function readHttp(entry: Entry, url: string, { env, placeIn }: Reading): McpTransportConfig {
  for (const name of ['args', 'env', 'cwd'] as const)
    if (entry[name] !== undefined) throw new ConfigError(`${placeIn(name)} has no meaning without command.`);
  const { oauth, tokenEnv, headers = {} } = entry;
  if (oauth !== undefined && tokenEnv !== undefined) throw new ConfigError(`${placeIn('oauth')} and tokenEnv exclude each other.`);
  const named = Object.entries(headers).map(([name, variable]) => {
    const place = placeIn('headers', name);
    return [name, headerValue(namedVariable(env, variable, place), place)] as const;
  });
  const token = tokenEnv === undefined ? null : headerValue(namedVariable(env, tokenEnv, placeIn('tokenEnv')), placeIn('tokenEnv'));
  return {
    kind: 'http',
    url: httpUrl(url, placeIn('url')),
    headers: { ...Object.fromEntries(named), ...(token === null ? {} : { Authorization: `Bearer ${token}` }) },
    oauth:
      oauth === undefined
        ? null
        : {
            issuer: checkedIssuer(oauth.issuer, placeIn('oauth', 'issuer')),
            clientId: namedVariable(env, oauth.clientIdEnv, placeIn('oauth', 'clientIdEnv')),
            clientSecret: namedVariable(env, oauth.clientSecretEnv, placeIn('oauth', 'clientSecretEnv')),
            scope: oauth.scope ?? null,
          },
  };
}

/** As it is written, since it is compared with what the server calls itself. */
function checkedIssuer(issuer: string, place: string): string {
  httpUrl(issuer, place);
  return issuer;
}

function headerValue(value: string, place: string): string {
  if (!HEADER_VALUE.test(value)) throw new ConfigError(`${place} names a variable whose value cannot stand in a header.`);
  return value;
}

/** Never repeats the address, which may hold what it must not. */
function httpUrl(text: string, place: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '' || url.hash !== '')
    throw new ConfigError(`${place} must be an http or https address without credentials.`);
  return url.href;
}

/** What outgoing requests may reach beyond the public Internet. */
export function readAllowedDestinations({ egress = {} }: ConfigFile, placeOf: PlaceOf): readonly string[] {
  const { allow = [] } = egress;
  for (const [index, entry] of allow.entries()) {
    const destination = parseDestination(entry);
    const known = destination?.kind === 'host' || (destination?.kind === 'range' && isRange(destination.address, destination.prefix));
    if (!known) throw new ConfigError(`${placeOf('egress', 'allow', String(index))} must be an address, a range or a host.`);
  }
  return allow;
}

function isRange(address: string, prefix: number | null): boolean {
  if (isIPv4(address)) return (prefix ?? 0) <= 32;
  return isIPv6(address) && (prefix ?? 0) <= 128;
}
