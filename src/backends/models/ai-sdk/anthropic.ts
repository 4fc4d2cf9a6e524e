import type { ModelProvider } from '../../../core/ports/model-provider.ts';
import { outputLimitOf } from '../context-windows.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import { getJson } from '../upstream/get-json.ts';
import { elementsOf, fieldsOf, stringOf } from '../upstream/json-fields.ts';
import { toolsIn, toolsOf } from './prompt.ts';
import { type AiSdkOptions, createAiSdkProvider } from './provider.ts';
import { PLACEHOLDER_KEY, PLACEHOLDER_URL } from './transport.ts';

/** What Anthropic serves, the everyday model first: known before its own list has come (platform.claude.com, November 2026). */
export const CLAUDE_MODELS: readonly string[] = ['claude-sonnet-5-5', 'claude-opus-5-5', 'claude-haiku-5-5', 'claude-fable-5-1'];

const VERSION = { 'anthropic-version': '2023-06-01' };

/** Anthropic's Messages API, through the AI SDK, which is loaded here. */
export async function createAnthropicProvider(options: AiSdkOptions): Promise<ModelProvider> {
  const { createAnthropic } = await import('@ai-sdk/anthropic');
  return createAiSdkProvider(
    {
      baseUrl: 'https://api.anthropic.com/v1',
      keyHeader: 'x-api-key',
      namespace: 'anthropic',
      model: (id, fetch) => createAnthropic({ apiKey: PLACEHOLDER_KEY, baseURL: PLACEHOLDER_URL, fetch })(id),
      callOptions({ model, messages, tools: offered = [], maxTokens, maxOutput }) {
        const maxOutputTokens = maxTokens ?? maxOutput ?? outputLimitOf(model);
        if (offered.length > 0) return { maxOutputTokens, tools: toolsOf(offered) };
        const tools = toolsIn(messages);
        return tools.length === 0 ? { maxOutputTokens } : { maxOutputTokens, tools, toolChoice: { type: 'none' } };
      },
      listModels,
    },
    options,
  );
}

async function listModels(endpoint: Endpoint, signal: AbortSignal): Promise<readonly string[]> {
  const body = await getJson(endpoint, { path: '/models?limit=1000', headers: VERSION }, signal);
  return elementsOf(fieldsOf(body).data)
    .map((entry) => stringOf(fieldsOf(entry).id))
    .filter((id) => id !== '');
}
