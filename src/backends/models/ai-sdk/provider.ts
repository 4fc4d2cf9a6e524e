import type { LanguageModelV4, LanguageModelV4CallOptions } from '@ai-sdk/provider';
import type { ModelProvider, ModelRequest } from '../../../core/ports/model-provider.ts';
import { createConnection, type UpstreamOptions } from '../upstream/connection.ts';
import { createEndpoint, type Endpoint } from '../upstream/endpoint.ts';
import { withRetries } from '../upstream/retry.ts';
import { attempt } from './attempt.ts';
import { promptOf } from './prompt.ts';

/** Where one of the SDK's providers is, and under which name. */
export interface AiSdkOptions extends UpstreamOptions {
  /** The provider's name in the settings, under which parts keep its remarks. */
  readonly name: string;
  /** Up to and with the version; null for the vendor's own address. */
  readonly baseUrl: string | null;
  /** Null for a proxy that wants none. */
  readonly apiKey: string | null;
}

/** What one vendor does in its own way. */
export interface Vendor {
  readonly baseUrl: string;
  /** The header that carries the key. */
  readonly keyHeader: string;
  /** The SDK's name for options and remarks of this vendor. */
  readonly namespace: string;
  readonly model: (id: string, fetch: typeof globalThis.fetch) => LanguageModelV4;
  /** What a request needs beside its messages and its temperature. */
  readonly callOptions: (request: ModelRequest) => Partial<LanguageModelV4CallOptions>;
  /** The names that the vendor's own list of models gives now. */
  readonly listModels: (endpoint: Endpoint, signal: AbortSignal) => Promise<readonly string[]>;
}

/** A provider over one of the AI SDK's language models. Throws when the address is no http(s) URL or the key cannot stand in a header. */
export function createAiSdkProvider(vendor: Vendor, options: AiSdkOptions): ModelProvider {
  const { name, baseUrl, apiKey } = options;
  const authorize = (key: string) => ({ name: vendor.keyHeader, value: key });
  const connection = createConnection(createEndpoint({ baseUrl: baseUrl ?? vendor.baseUrl, apiKey, authorize }), options);
  const names = { name, namespace: vendor.namespace };
  return {
    stream(request, sink, signal) {
      const callOptions = { ...callOptionsOf(request, vendor), prompt: promptOf(request.messages, names) };
      const model = (fetch: typeof globalThis.fetch) => vendor.model(request.model, fetch);
      return withRetries(() => attempt(connection, { options: callOptions, model, sink, signal }), options, signal);
    },
    listModels: (signal) => vendor.listModels(connection.endpoint, signal),
  };
}

function callOptionsOf(request: ModelRequest, vendor: Vendor): Omit<LanguageModelV4CallOptions, 'prompt'> {
  return {
    ...(request.temperature === null ? {} : { temperature: request.temperature }),
    ...(request.maxTokens === null ? {} : { maxOutputTokens: request.maxTokens }),
    ...vendor.callOptions(request),
  };
}
