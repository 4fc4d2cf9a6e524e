import type { ModelProvider } from '../../../core/ports/model-provider.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import { getJson } from '../upstream/get-json.ts';
import { elementsOf, fieldsOf, stringOf } from '../upstream/json-fields.ts';
import { toolsOf } from './prompt.ts';
import { type AiSdkOptions, createAiSdkProvider } from './provider.ts';
import { PLACEHOLDER_KEY, PLACEHOLDER_URL } from './transport.ts';

/** What Google serves, the everyday model first: known before its own list has come (ai.google.dev, November 2026). */
export const GEMINI_MODELS: readonly string[] = ['gemini-3.8-flash', 'gemini-4-argon', 'gemini-4-carbon', 'gemini-3.5-flash-lite'];

/** Models that answer in another medium than text, though they take the same requests. */
const OTHER_MEDIUM = /-(?:image|tts|audio|live|embedding)\b|^(?:imagen|veo|lyria|aqa)\b|nano-banana/;

/** Google's Gemini API, through the AI SDK, which is loaded here. */
export async function createGoogleProvider(options: AiSdkOptions): Promise<ModelProvider> {
  const { createGoogle } = await import('@ai-sdk/google');
  return createAiSdkProvider(
    {
      baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
      keyHeader: 'x-goog-api-key',
      namespace: 'google',
      model: (id, fetch) => createGoogle({ apiKey: PLACEHOLDER_KEY, baseURL: PLACEHOLDER_URL, fetch })(id),
      callOptions: ({ tools = [] }) => (tools.length === 0 ? {} : { tools: toolsOf(tools) }),
      listModels,
    },
    options,
  );
}

async function listModels(endpoint: Endpoint, signal: AbortSignal): Promise<readonly string[]> {
  const body = await getJson(endpoint, { path: '/models?pageSize=1000' }, signal);
  return elementsOf(fieldsOf(body).models)
    .map(fieldsOf)
    .filter(({ supportedGenerationMethods }) => elementsOf(supportedGenerationMethods).includes('generateContent'))
    .map(({ name }) => stringOf(name).replace(/^models\//, ''))
    .filter((name) => name !== '' && !OTHER_MEDIUM.test(name));
}
