import { isIPv4 } from 'node:net';
import { ConfigError } from './config-error.ts';

/** Environment variables as the process got them. */
export type Environment = Readonly<Record<string, string | undefined>>;

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** How much the log says, in pino's words. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A variable's value without surrounding white space; null when it is unset or empty. */
export function variable(env: Environment, name: string): string | null {
  const value = env[name]?.trim();
  return value === undefined || value === '' ? null : value;
}

/** The value of a variable that a setting names; `place` is the setting. Without one it throws a `ConfigError`. */
export function namedVariable(env: Environment, name: string, place: string): string {
  const value = variable(env, name);
  if (value !== null) return value;
  // Whoever takes the setting for the value itself must not find that in a log.
  if (!/^[A-Z_][A-Z0-9_]*$/.test(name)) throw new ConfigError(`${place} must be the name of an environment variable that holds the key.`);
  throw new ConfigError(`${place} names ${name}, but that environment variable is not set.`);
}

/** The port to listen on; 0 lets the system choose. */
export function readPort(env: Environment): number {
  const text = variable(env, 'PORT') ?? '8000';
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new ConfigError(`PORT must be an integer from 0 to 65535, not "${text}".`);
  return port;
}

/** How much to log. */
export function readLogLevel(env: Environment): LogLevel {
  const text = (variable(env, 'LOG_LEVEL') ?? 'info').toLowerCase();
  const level = LOG_LEVELS.find((known) => known === text);
  if (level === undefined) throw new ConfigError(`LOG_LEVEL must be one of ${LOG_LEVELS.join(', ')}, not "${text}".`);
  return level;
}

/** Whether NODE_ENV says so. A misspelt one must not open a server that is meant to be closed. */
export function isProduction(env: Environment): boolean {
  const text = variable(env, 'NODE_ENV');
  if (text === null || text === 'development' || text === 'test') return false;
  if (text === 'production') return true;
  throw new ConfigError(`NODE_ENV must be production, development, test or empty, not "${text}".`);
}

/** Origins (RFC 6454) whose pages may call the server. */
export function readOrigins(env: Environment): readonly string[] {
  const entries = (variable(env, 'ALLOWED_ORIGINS') ?? '').split(',').map((entry) => entry.trim());
  return entries.filter((entry) => entry !== '').map((entry, index) => parseOrigin(entry, index + 1));
}

/** An error never repeats the entry, because a whole address may hold a password or a key. */
function parseOrigin(text: string, place: number): string {
  const url = URL.parse(text);
  if (url === null || !isHttp(url) || (text !== url.origin && text !== `${url.origin}/`)) {
    throw new ConfigError(
      `ALLOWED_ORIGINS must list origins such as https://app.example.com, separated by commas: entry ${place} is none.`,
    );
  }
  return url.origin;
}

/** An HTTP address without a slash at its end; `source` names the setting in the error. */
export function parseBaseUrl(text: string, source: string): string {
  const url = URL.parse(text);
  if (url === null || !isHttp(url) || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new ConfigError(`${source} must be an http or https address without credentials or query, such as https://api.openai.com/v1.`);
  }
  return url.href.replace(/\/+$/, '');
}

function isHttp(url: URL): boolean {
  return url.protocol === 'http:' || url.protocol === 'https:';
}

/** Whether a host to listen on can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}
