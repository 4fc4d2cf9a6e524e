import type { Logger } from 'pino';
import { systemClock } from '../backends/clock/system-clock.ts';
import { CLAUDE_MODELS, createAnthropicProvider } from '../backends/models/ai-sdk/anthropic.ts';
import { createGoogleProvider, GEMINI_MODELS } from '../backends/models/ai-sdk/google.ts';
import { createCatalogue } from '../backends/models/catalogue.ts';
import { createDemoProvider } from '../backends/models/demo/provider.ts';
import { createOpenAiCompatibleProvider } from '../backends/models/openai-compatible/provider.ts';
import type { UpstreamOptions } from '../backends/models/upstream/connection.ts';
import type { ProviderConfig } from '../config/providers.ts';
import type { Config } from '../config.ts';
import type { ModelProvider } from '../core/ports/model-provider.ts';

/** The model providers that the settings name, and the demo model. */
export async function createProviders(config: Config): Promise<Readonly<Record<string, ModelProvider>>> {
  const idleMs = config.limits.idleSeconds * 1000;
  const timeouts = { firstByteMs: idleMs, idleMs, totalMs: config.limits.runSeconds * 1000 };
  const limits = { answerCharacters: config.limits.answerChars };
  const tokenDelayMs = config.demo.tokenDelayMs ?? undefined;
  const providers: Record<string, ModelProvider> = { demo: createDemoProvider({ clock: systemClock, tokenDelayMs }) };
  for (const provider of config.providers)
    providers[provider.name] = await createProvider(provider, { timeouts, limits, clock: systemClock });
  return providers;
}

/** What answers, under the names that callers use; `demo` when nothing but the demo model does. */
export async function createModels(config: Config, log: Logger) {
  const providers = await createProviders(config);
  const models = Object.fromEntries(config.models.map((model) => [model.name, { ...model, model: model.upstream }]));
  const ownNames = new Map(config.providers.flatMap(({ name, kind }) => (kind === 'openai-compatible' ? [] : [[name, OWN_NAMES[kind]]])));
  const catalogue = createCatalogue({ settings: { defaultModel: config.defaultModel, models }, providers, ownNames, log });
  const demo = config.providers.length === 0;
  if (demo)
    log.warn(
      'No model provider is configured: the built-in demo model answers. Set OPENAI_API_KEY, OPENAI_BASE_URL, ANTHROPIC_API_KEY or GOOGLE_GENERATIVE_AI_API_KEY for a real one.',
    );
  return { catalogue, providers, demo };
}

/** What vendors serve whose models have names of their own. */
const OWN_NAMES = { anthropic: CLAUDE_MODELS, google: GEMINI_MODELS } as const;

async function createProvider(provider: ProviderConfig, options: UpstreamOptions): Promise<ModelProvider> {
  switch (provider.kind) {
    case 'openai-compatible':
      return createOpenAiCompatibleProvider({ ...provider, ...options });
    case 'anthropic':
      return createAnthropicProvider({ ...provider, ...options });
    case 'google':
      return createGoogleProvider({ ...provider, ...options });
  }
}
