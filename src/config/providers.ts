import { ConfigError } from './config-error.ts';
import type { ConfigFile } from './config-file.ts';
import { type Environment, parseBaseUrl, variable } from './environment.ts';

/** A server that speaks the OpenAI chat completions protocol. */
export interface ProviderConfig {
  readonly name: string;
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly apiKey: string | null;
}

/** A public model name and what stands behind it; null leaves the choice to the catalogue. */
export interface ModelConfig {
  readonly name: string;
  readonly provider: string;
  readonly upstream: string;
  readonly window: number | null;
  readonly maxOutput: number | null;
}

/** The provider that is always there and needs no key. */
const DEMO_PROVIDER = 'demo';

/** Providers of the file, then the one that OPENAI_API_KEY or OPENAI_BASE_URL describes unless the file has its own `openai`. */
export function readProviders(env: Environment, file: ConfigFile, path: string): readonly ProviderConfig[] {
  const providers = Object.entries(file.providers ?? {}).map(([name, entry]) => {
    const place = `${path}: /providers/${name}`;
    if (name === DEMO_PROVIDER) throw new ConfigError(`${place} uses a reserved name: choose another.`);
    return { name, baseUrl: parseBaseUrl(entry.baseUrl, `${place}/baseUrl`), apiKey: readKey(env, entry.apiKeyEnv, place) };
  });
  const apiKey = variable(env, 'OPENAI_API_KEY');
  const baseUrl = variable(env, 'OPENAI_BASE_URL');
  if ((apiKey === null && baseUrl === null) || providers.some(({ name }) => name === 'openai')) return providers;
  return [...providers, { name: 'openai', baseUrl: parseBaseUrl(baseUrl ?? 'https://api.openai.com/v1', 'OPENAI_BASE_URL'), apiKey }];
}

function readKey(env: Environment, name: string | undefined, place: string): string | null {
  if (name === undefined) return null;
  const key = variable(env, name);
  if (key === null) throw new ConfigError(`${place}/apiKeyEnv names ${name}, but that environment variable is not set.`);
  return key;
}

/** The file's models, each with a provider that exists. */
export function readModels(file: ConfigFile, providers: readonly ProviderConfig[], path: string): readonly ModelConfig[] {
  const known = [DEMO_PROVIDER, ...providers.map(({ name }) => name)];
  return Object.entries(file.models ?? {}).map(([name, entry]) => {
    if (!known.includes(entry.provider)) {
      throw new ConfigError(`${path}: /models/${name}/provider must be one of ${known.join(', ')}, not "${entry.provider}".`);
    }
    const { window = null, maxOutput = null } = entry;
    return { name, provider: entry.provider, upstream: entry.model ?? name, window, maxOutput };
  });
}
