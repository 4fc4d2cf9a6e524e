import { systemClock } from '../../backends/clock/system-clock.ts';
import { downloadKeySet } from '../../backends/tokens/jwks-download.ts';
import type { ModelProvider } from '../../core/ports/model-provider.ts';
import type { Finding } from '../../http/control-wire.ts';
import { fail, ok, warn } from './finding.ts';

const LIMIT_MS = 5_000;

/** What model providers are asked. */
export type Providers = Readonly<Record<string, Pick<ModelProvider, 'listModels'>>>;

/** Asks each provider which models it has, for at most 5 seconds. */
export function examineProviders(providers: Providers, signal: AbortSignal): Promise<readonly Finding[]> {
  const real = Object.entries(providers).filter(([name]) => name !== 'demo');
  if (real.length === 0) {
    return Promise.resolve([
      warn(
        'models',
        'No model provider is configured: the demo model answers.',
        'Set OPENAI_API_KEY, ANTHROPIC_API_KEY or GOOGLE_GENERATIVE_AI_API_KEY, or OPENAI_BASE_URL for another provider.',
      ),
    ]);
  }
  return Promise.all(real.map(([name, provider]) => examineProvider(name, provider, signal)));
}

async function examineProvider(name: string, provider: Providers[string], signal: AbortSignal): Promise<Finding> {
  try {
    const models = await provider.listModels(within(signal));
    return ok('models', `The provider "${name}" answers and lists ${models.length} models.`);
  } catch (error) {
    signal.throwIfAborted();
    return fail('models', `The provider "${name}" cannot be used: ${reasonOf(error)}.`, 'Check its address and its key.');
  }
}

/** Fetches public keys, by the name of whom they belong to, for at most 5 seconds each. */
export function examineKeySets(addresses: ReadonlyMap<string, string>, signal: AbortSignal): Promise<readonly Finding[]> {
  return Promise.all([...addresses].map(([owner, url]) => examineKeySet({ owner, url, signal })));
}

async function examineKeySet({ owner, url, signal }: { owner: string; url: string; signal: AbortSignal }): Promise<Finding> {
  try {
    const keys = await downloadKeySet(url, { clock: systemClock, signal: within(signal) });
    const message = `${owner} has ${keys.length} usable public keys at ${url}.`;
    return keys.length > 0 ? ok('jwks', message) : fail('jwks', message, 'Nobody can sign in with its tokens: check the address.');
  } catch (error) {
    signal.throwIfAborted();
    return fail(
      'jwks',
      `The public keys of ${owner} at ${url} cannot be fetched: ${reasonOf(error)}.`,
      'Check the address and the network.',
    );
  }
}

function within(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]);
}

function reasonOf(error: unknown): string {
  if (error instanceof DOMException && error.name === 'TimeoutError') return `no answer within ${LIMIT_MS / 1000} s`;
  if (!(error instanceof Error)) return String(error);
  // What fetch says itself is only that it failed.
  const told = error.message === 'fetch failed' && error.cause instanceof Error ? error.cause.message : error.message;
  return told.replace(/\.$/, '');
}
