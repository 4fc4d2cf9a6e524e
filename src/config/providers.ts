import { FALLBACK_MODEL } from '../core/fallback-model.ts';
import { ConfigError } from './config-error.ts';
import type { ConfigFile, PlaceOf } from './config-file.ts';
import { type Environment, namedVariable, parseBaseUrl, variable } from './environment.ts';

interface Keyed {
  readonly name: string;
  readonly apiKey: string | null;
}

/** Who serves models, by the protocol it speaks. Addresses have no slash at their end. */
export type ProviderConfig =
  | (Keyed & { readonly kind: 'openai-compatible'; readonly baseUrl: string })
  /** Null is the vendor's own address. */
  | (Keyed & { readonly kind: VendorKind; readonly baseUrl: string | null });

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

/** Where the vendors' keys are, unless the file says otherwise. */
const VENDOR_KEYS = { anthropic: 'ANTHROPIC_API_KEY', google: 'GOOGLE_GENERATIVE_AI_API_KEY' } as const;
type VendorKind = keyof typeof VENDOR_KEYS;

/** Providers of the file, then those that the environment has keys (or OPENAI_BASE_URL) for and the file does not name itself. */
export function readProviders(env: Environment, file: ConfigFile, placeOf: PlaceOf): readonly ProviderConfig[] {
  const named = Object.entries(file.providers ?? {}).map(([name, entry]) => {
    const placeIn: PlaceOf = (...names) => placeOf('providers', name, ...names);
    if (name === DEMO_PROVIDER) throw new ConfigError(`${placeIn()} uses a reserved name: choose another.`);
    return readEntry(env, { name, ...entry }, placeIn);
  });
  return [...named, ...providersOf(env).filter(({ name }) => named.every((other) => other.name !== name))];
}

type Entry = { readonly name: string } & NonNullable<ConfigFile['providers']>[string];

function readEntry(env: Environment, { name, kind = 'openai-compatible', ...entry }: Entry, placeIn: PlaceOf): ProviderConfig {
  const baseUrl = entry.baseUrl === undefined ? null : parseBaseUrl(entry.baseUrl, placeIn('baseUrl'));
  const apiKey = readKey(env, entry.apiKeyEnv, placeIn);
  if (kind === 'openai-compatible') {
    if (baseUrl === null) throw new ConfigError(`${placeIn()} needs baseUrl.`);
    return { kind, name, baseUrl, apiKey };
  }
  if (baseUrl !== null) return { kind, name, baseUrl, apiKey };
  // The customary key goes to the vendor itself only, never to an address from the file that does not ask for it.
  const customary = apiKey ?? variable(env, VENDOR_KEYS[kind]);
  if (customary === null)
    throw new ConfigError(`${placeIn()} needs a key: set ${VENDOR_KEYS[kind]}, or apiKeyEnv to the variable that holds it.`);
  return { kind, name, baseUrl, apiKey: customary };
}

function providersOf(env: Environment): readonly ProviderConfig[] {
  const providers: ProviderConfig[] = [];
  const apiKey = variable(env, 'OPENAI_API_KEY');
  const baseUrl = variable(env, 'OPENAI_BASE_URL');
  if (apiKey !== null || baseUrl !== null) {
    const address = parseBaseUrl(baseUrl ?? 'https://api.openai.com/v1', 'OPENAI_BASE_URL');
    providers.push({ kind: 'openai-compatible', name: 'openai', baseUrl: address, apiKey });
  }
  for (const kind of ['anthropic', 'google'] as const) {
    const key = variable(env, VENDOR_KEYS[kind]);
    if (key !== null) providers.push({ kind, name: kind, baseUrl: null, apiKey: key });
  }
  return providers;
}

function readKey(env: Environment, name: string | undefined, placeIn: PlaceOf): string | null {
  return name === undefined ? null : namedVariable(env, name, placeIn('apiKeyEnv'));
}

/** The file's models, each with a provider that exists. */
export function readModels(file: ConfigFile, providers: readonly ProviderConfig[], placeOf: PlaceOf): readonly ModelConfig[] {
  const known = [DEMO_PROVIDER, ...providers.map(({ name }) => name)];
  return Object.entries(file.models ?? {}).map(([name, entry]) => {
    if (!known.includes(entry.provider)) {
      const place = placeOf('models', name, 'provider');
      throw new ConfigError(`${place} must be one of ${known.join(', ')}, not "${entry.provider}".`);
    }
    const { window = null, maxOutput = null } = entry;
    return { name, provider: entry.provider, upstream: entry.model ?? name, window, maxOutput };
  });
}

/** The model that answers when a caller names none, which is among the file's models where it has any; null when the file does not say. */
export function readDefaultModel({ defaultModel, models = {} }: ConfigFile, placeOf: PlaceOf): string | null {
  const names = Object.keys(models);
  if (names.length === 0 || names.includes(defaultModel ?? FALLBACK_MODEL)) return defaultModel ?? null;
  if (defaultModel === undefined) throw new ConfigError(`${placeOf()} needs defaultModel, one of ${names.join(', ')}.`);
  throw new ConfigError(`${placeOf('defaultModel')} must be one of ${names.join(', ')}, not "${defaultModel}".`);
}
