import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type AgentConfig, readAgents } from './config/agents.ts';
import { ConfigError } from './config/config-error.ts';
import { type ConfigFile, type PlaceOf, parseConfigFile } from './config/config-file.ts';
import { readDatabaseUrl } from './config/database-url.ts';
import {
  type Environment,
  isLoopback,
  isProduction,
  type LogLevel,
  readLogLevel,
  readOrigins,
  readPort,
  variable,
} from './config/environment.ts';
import { type ModelConfig, type ProviderConfig, readDefaultModel, readModels, readProviders } from './config/providers.ts';
import { readTiers } from './config/tiers.ts';
import { type McpServerConfig, readAllowedDestinations, readMcpServers } from './config/tools.ts';
import { jwksUrlProblem } from './core/jwks-url.ts';
import type { Tier } from './core/limits.ts';
import { secretWeakness } from './core/secret-strength.ts';

const DEVELOPMENT_KEY = 'dev-api-key-change-in-production';

/** Every setting of the server, checked, with defaults filled in; deeply frozen. */
export interface Config {
  /** 0: the system chooses. */
  readonly port: number;
  readonly host: string;
  /** PostgreSQL that holds the data; null for the embedded store. Holds the password: never log it. */
  readonly databaseUrl: string | null;
  /** Absolute path. */
  readonly dataDir: string;
  readonly logLevel: LogLevel;
  readonly production: boolean;
  /** The well-known API key; null unless the server listens on loopback only and is not in production. */
  readonly developmentKey: string | null;
  /** HS256 secrets that the operator set, strongest claim first: JWT_SECRET_KEY, BETTER_AUTH_SECRET. */
  readonly signingSecrets: readonly string[];
  /** Public keys that verify tokens of the default application's users. */
  readonly jwksUrl: string | null;
  /** What tokens of the default application's users must say as `iss` and among `aud`; null is anything. */
  readonly tokens: { readonly issuer: string | null; readonly audience: string | null };
  readonly allowedOrigins: readonly string[];
  readonly defaultModel: string | null;
  readonly models: readonly ModelConfig[];
  readonly providers: readonly ProviderConfig[];
  readonly demo: { readonly tokenDelayMs: number | null };
  readonly levia: { readonly carryTurns: number };
  readonly chatWs: {
    /** Whether an empty thread greets whoever asks for its history. */
    readonly greeting: boolean;
    /** Longest message in UTF-8 bytes. */
    readonly contentBytes: number;
  };
  readonly limits: {
    readonly bodyBytes: number;
    readonly queuedRunsPerThread: number;
    readonly readersPerRun: number;
    readonly drainSeconds: number;
    readonly runSeconds: number;
    /** How long a provider may stay silent. */
    readonly idleSeconds: number;
    /** UTF-16 code units. */
    readonly answerChars: number;
    readonly fileMebibytesPerUser: number;
  };
  readonly agents: {
    readonly definitions: readonly AgentConfig[];
    /** The name of the agent that answers where nobody names one. */
    readonly default: string | null;
    /** How long people have to decide about a call. */
    readonly approvalSeconds: number;
    /** How long one call of a tool may take. */
    readonly callSeconds: number;
  };
  readonly mcp: readonly McpServerConfig[];
  readonly tools: { readonly httpFetch: boolean };
  /** What requests to addresses that models choose may reach beyond the public Internet. */
  readonly egress: { readonly allow: readonly string[] };
  /** Allowances by name; `default` and `development` are always there. */
  readonly tiers: Readonly<Record<string, Tier>>;
  /** Whether `/metrics` asks for no key. */
  readonly metrics: { readonly public: boolean };
  /** Sentences for the log at start: what is set but has no effect, or is unsafe outside development. */
  readonly warnings: readonly string[];
}

/** Where settings come from. `readFile` gives null when there is no such file. */
export interface ConfigSource {
  readonly env: Environment;
  readonly cwd: string;
  readonly readFile?: (path: string) => string | null;
}

/** Where the server keeps its files, as an absolute path; needs no other setting to be right. */
export function readDataDirectory({ env, cwd }: Pick<ConfigSource, 'env' | 'cwd'>): string {
  return resolve(cwd, variable(env, 'DATA_DIR') ?? 'data');
}

/** Reads environment and configuration file; throws a `ConfigError` that says what to change. */
export function loadConfig({ env, cwd, readFile = readTextFile }: ConfigSource): Config {
  const { file, placeOf, path } = readConfigFile({ env, cwd, readFile });
  const providers = readProviders(env, file, placeOf);
  const access = readAccess(env);
  const config: Config = {
    port: readPort(env),
    databaseUrl: readDatabaseUrl(env),
    dataDir: readDataDirectory({ env, cwd }),
    logLevel: readLogLevel(env),
    ...access,
    tokens: { issuer: file.tokens?.issuer ?? null, audience: file.tokens?.audience ?? null },
    allowedOrigins: readOrigins(env),
    models: readModels(file, providers, placeOf),
    defaultModel: readDefaultModel(file, placeOf),
    providers,
    demo: { tokenDelayMs: file.demo?.tokenDelayMs ?? null },
    levia: { carryTurns: 3, ...file.levia },
    chatWs: { greeting: true, contentBytes: 32_768, ...file.chatWs },
    limits: {
      bodyBytes: 1_048_576,
      queuedRunsPerThread: 20,
      readersPerRun: 1000,
      drainSeconds: 20,
      runSeconds: 1800,
      idleSeconds: 60,
      answerChars: 4_000_000,
      fileMebibytesPerUser: 1024,
      ...file.limits,
    },
    agents: { default: null, approvalSeconds: 86_400, callSeconds: 60, ...file.agents, definitions: readAgents(file, { placeOf, path }) },
    mcp: readMcpServers(env, file, { placeOf, path }),
    tools: { httpFetch: false, ...file.tools },
    egress: { allow: readAllowedDestinations(file, placeOf) },
    tiers: readTiers(file),
    // Behind a proxy everybody comes from loopback, and in production there may be one.
    metrics: { public: file.metrics?.public ?? (isLoopback(access.host) && !access.production) },
  };
  return deepFreeze(config);
}

function readConfigFile({ env, cwd, readFile }: Required<ConfigSource>): { file: ConfigFile; placeOf: PlaceOf; path: string } {
  const named = variable(env, 'POLYLOGUE_CONFIG');
  const path = resolve(cwd, named ?? 'polylogue.config.json');
  const text = readFile(path);
  if (text !== null) return { ...parseConfigFile(text, path), path };
  if (named !== null) throw new ConfigError(`POLYLOGUE_CONFIG names ${path}, but there is no such file.`);
  return { file: { version: 1 }, placeOf: () => path, path };
}

type Access = Pick<Config, 'host' | 'production' | 'developmentKey' | 'signingSecrets' | 'jwksUrl' | 'warnings'>;

/** Who may come in: the address, the secrets, and whether the development key exists. */
function readAccess(env: Environment): Access {
  const host = variable(env, 'HOST') ?? '127.0.0.1';
  const production = isProduction(env);
  const secrets = (['JWT_SECRET_KEY', 'BETTER_AUTH_SECRET'] as const).flatMap((name) => {
    // Untrimmed, because whoever signs with the same variable does not trim it either.
    const value = env[name];
    return value === undefined || variable(env, name) === null ? [] : [{ name, value }];
  });
  const weak = secrets.flatMap(({ name, value }) => {
    const weakness = secretWeakness(value);
    return weakness === null ? [] : [`${name} ${weakness}: set a random value, for example from "openssl rand -hex 32".`];
  });
  if (production && weak[0] !== undefined) throw new ConfigError(weak[0]);
  const jwksUrl = readJwksUrl(env);
  const local = isLoopback(host);
  const exposed = !(local || production) && secrets.length === 0 && jwksUrl === null;
  return {
    host,
    production,
    developmentKey: local && !production ? DEVELOPMENT_KEY : null,
    signingSecrets: secrets.map(({ value }) => value),
    jwksUrl,
    warnings: [...weak, ...(exposed ? [exposedWarning(host)] : [])],
  };
}

function readJwksUrl(env: Environment): string | null {
  const text = variable(env, 'JWKS_URL');
  const problem = text === null ? null : jwksUrlProblem(text);
  if (problem !== null) throw new ConfigError(`JWKS_URL ${problem}.`);
  return text;
}

function exposedWarning(host: string): string {
  return `HOST=${host} can be reached from other machines, so the development key is off: set JWT_SECRET_KEY to sign tokens, or HOST=127.0.0.1.`;
}

function readTextFile(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT') return null;
    throw new ConfigError(`${path} cannot be read (${String(code)}).`);
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
