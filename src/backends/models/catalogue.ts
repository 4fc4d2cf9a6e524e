import type { Catalogue, CatalogueModel } from '../../core/ports/catalogue.ts';
import type { ModelProvider } from '../../core/ports/model-provider.ts';
import { contextWindowOf } from './context-windows.ts';

const DEMO = 'demo';
const FALLBACK_DEFAULT = 'gpt-4';
/** Names that clients of the original services ask for. */
const CUSTOMARY_NAMES = [FALLBACK_DEFAULT, 'gpt-3.5-turbo', 'llama-3.3-70b-versatile'];
const MAX_LISTED = 2000;
const MAX_OUTPUT = 4096;
const VISIBLE_NAME = /^[^\s\p{C}]{1,100}$/u;

interface ModelSettings {
  readonly provider: string;
  /** The provider's own name; without one it is the public name. */
  readonly model?: string | null;
  /** Tokens. */
  readonly window?: number | null;
  /** Tokens. */
  readonly maxOutput?: number | null;
}

export interface CatalogueOptions {
  readonly settings: {
    readonly defaultModel?: string | null;
    /** By public name. Without any the catalogue follows the providers. */
    readonly models?: Readonly<Record<string, ModelSettings>>;
  };
  /** By name; `demo` is always among them. */
  readonly providers: Readonly<Record<string, ModelProvider>>;
  readonly log: {
    info(details: object, message: string): void;
    warn(details: object, message: string): void;
  };
}

/** The catalogue together with the asking for what providers list. */
export interface RefreshableCatalogue extends Catalogue {
  /** Adds what the providers list now, when no file names the models. A provider's failure is logged; rejects only when aborted. */
  refresh(signal: AbortSignal): Promise<void>;
}

/** Throws an error that says what to change when a model names an unknown provider or the default model is none of the models. */
export function createCatalogue({ settings, providers, log }: CatalogueOptions): RefreshableCatalogue {
  const real = Object.keys(providers).filter((name) => name !== DEMO);
  const named = Object.entries(settings.models ?? {}).map(([name, model]) => modelOf(name, model));
  const primary = real.includes('openai') ? 'openai' : real[0];
  const servesAnyName = named.length === 0 && primary === undefined;
  const defaultModel = settings.defaultModel ?? FALLBACK_DEFAULT;
  const fixed = named.length > 0 ? named : unnamedModels(primary ?? DEMO, settings.defaultModel ?? null);
  for (const model of fixed) requireProvider(providers, model);
  let models = byName(fixed);
  if (!models.has(defaultModel)) {
    throw new Error(
      `The default model "${defaultModel}" is none of the configured models: set "defaultModel" to one of ${[...models.keys()].join(', ')}.`,
    );
  }
  const listed = new Map<string, readonly CatalogueModel[]>();

  async function refreshFrom(provider: string, signal: AbortSignal): Promise<void> {
    try {
      const names = await providers[provider]?.listModels(signal);
      const usable = (names ?? []).filter((name) => VISIBLE_NAME.test(name)).slice(0, MAX_LISTED);
      listed.set(
        provider,
        usable.map((name) => modelOf(name, { provider })),
      );
      log.info({ provider, models: usable.length }, 'models listed');
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ provider, err: error }, 'the provider does not list its models; the names known so far stay');
    }
  }

  return {
    defaultModel,
    find: (name) => models.get(name) ?? (servesAnyName && VISIBLE_NAME.test(name) ? modelOf(name, { provider: DEMO }) : null),
    list: () => [...models.values()],
    provider: (name) => (Object.hasOwn(providers, name) ? providers[name] : undefined) ?? null,
    async refresh(signal) {
      if (named.length > 0) return;
      await Promise.all(real.map((provider) => refreshFrom(provider, signal)));
      const order = [...real].sort((left, right) => Number(right === primary) - Number(left === primary));
      models = byName([...fixed, ...order.flatMap((provider) => listed.get(provider) ?? [])]);
    },
  };
}

/** What can be named when no file says so: the customary names, the default model and, where it serves, the demo model. */
function unnamedModels(provider: string, defaultModel: string | null): readonly CatalogueModel[] {
  const extra = [...(provider === DEMO ? [DEMO] : []), ...(defaultModel === null ? [] : [defaultModel])];
  return [...CUSTOMARY_NAMES, ...extra].map((name) => modelOf(name, { provider }));
}

function modelOf(name: string, settings: ModelSettings): CatalogueModel {
  const upstream = settings.model ?? name;
  const window = settings.window ?? contextWindowOf(upstream);
  const maxOutput = settings.maxOutput ?? Math.min(MAX_OUTPUT, Math.floor(window / 4));
  return { name, provider: settings.provider, upstream, window, maxOutput };
}

/** The first model of a name stays. */
function byName(models: readonly CatalogueModel[]): ReadonlyMap<string, CatalogueModel> {
  const map = new Map<string, CatalogueModel>();
  for (const model of models) if (!map.has(model.name)) map.set(model.name, model);
  return map;
}

function requireProvider(providers: CatalogueOptions['providers'], model: CatalogueModel): ModelProvider {
  const provider = Object.hasOwn(providers, model.provider) ? providers[model.provider] : undefined;
  if (provider === undefined) {
    const known = Object.keys(providers).join(', ');
    throw new Error(`The model "${model.name}" names the provider "${model.provider}", which is not configured: use one of ${known}.`);
  }
  return provider;
}
