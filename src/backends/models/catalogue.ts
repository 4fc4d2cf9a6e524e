import { DEMO_PROVIDER as DEMO, FALLBACK_MODEL } from '../../core/fallback-model.ts';
import type { Catalogue, CatalogueModel } from '../../core/ports/catalogue.ts';
import type { ModelProvider } from '../../core/ports/model-provider.ts';
import { contextWindowOf, outputLimitOf } from './context-windows.ts';

/** Names that clients of the original services ask for. */
const CUSTOMARY_NAMES = [FALLBACK_MODEL, 'gpt-3.5-turbo', 'llama-3.3-70b-versatile'];
const MAX_LISTED = 2000;
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
  /** For each provider whose names are its own, what it serves until it has listed its models, the best stand-in for other names first. */
  readonly ownNames?: ReadonlyMap<string, readonly string[]>;
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
export function createCatalogue({ settings, providers, ownNames = new Map(), log }: CatalogueOptions): RefreshableCatalogue {
  const named = Object.entries(settings.models ?? {}).map(([name, model]) => modelOf(name, model));
  const order = inOrder(Object.keys(providers), ownNames);
  const servesAnyName = named.length === 0 && order.length === 0;
  const defaultModel = settings.defaultModel ?? FALLBACK_MODEL;
  const listed = new Map<string, readonly string[]>();
  const standIns = createStandIns(ownNames, log);
  let models = byName(named.length > 0 ? named : unnamed());
  for (const model of models.values()) requireProvider(providers, model);
  if (!models.has(defaultModel)) {
    throw new Error(
      `The default model "${defaultModel}" is none of the configured models: set "defaultModel" to one of ${[...models.keys()].join(', ')}.`,
    );
  }

  /** What can be named when no file says so: the customary names and the default model, then whatever each provider serves. */
  function unnamed(): readonly CatalogueModel[] {
    const [first = DEMO] = order;
    const offered = order.map((provider) => ({ provider, names: listed.get(provider) ?? ownNames.get(provider) ?? [] }));
    const extra = [...(first === DEMO ? [DEMO] : []), ...(settings.defaultModel ? [settings.defaultModel] : [])];
    const own = offered.flatMap(({ provider, names }) => names.map((name) => modelOf(name, { provider })));
    const standIn = standIns(first, listed.get(first) ?? null);
    const customary = CUSTOMARY_NAMES.map((name) => modelOf(name, { provider: first, model: standIn }));
    return [
      ...customary,
      ...own.filter(({ name }) => extra.includes(name)),
      ...extra.map((name) => modelOf(name, { provider: first })),
      ...own,
    ];
  }

  async function refreshFrom(provider: string, signal: AbortSignal): Promise<void> {
    try {
      const names = await providers[provider]?.listModels(signal);
      const usable = (names ?? []).filter((name) => VISIBLE_NAME.test(name)).slice(0, MAX_LISTED);
      if (usable.length > 0 || !ownNames.has(provider)) listed.set(provider, usable);
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
    lists: (name) => models.has(name),
    provider: (name) => (Object.hasOwn(providers, name) ? providers[name] : undefined) ?? null,
    async refresh(signal) {
      if (named.length > 0) return;
      await Promise.all(order.map((provider) => refreshFrom(provider, signal)));
      models = byName(unnamed());
    },
  };
}

/** Providers by whom names without an owner go to first: `openai`, others that may know any name, then those with names of their own. */
function inOrder(names: readonly string[], ownNames: ReadonlyMap<string, unknown>): readonly string[] {
  const rank = (name: string) => (ownNames.has(name) ? 2 : Number(name !== 'openai'));
  return names.filter((name) => name !== DEMO).sort((left, right) => rank(left) - rank(right));
}

/** Chooses what answers to the customary names at a provider that does not know them, and says so once for each choice; null where they are known. */
function createStandIns(ownNames: ReadonlyMap<string, readonly string[]>, log: CatalogueOptions['log']) {
  let told: string | null = null;
  return (provider: string, listed: readonly string[] | null): string | null => {
    const own = ownNames.get(provider);
    if (own === undefined) return null;
    const model = (listed === null ? own[0] : (own.find((name) => listed.includes(name)) ?? listed[0])) ?? null;
    if (model !== told)
      log.info({ provider, model, names: CUSTOMARY_NAMES }, 'the provider does not know these names: its own model answers to them');
    told = model;
    return model;
  };
}

function modelOf(name: string, settings: ModelSettings): CatalogueModel {
  const upstream = settings.model ?? name;
  const window = settings.window ?? contextWindowOf(upstream);
  const maxOutput = settings.maxOutput ?? outputLimitOf(upstream, window);
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
