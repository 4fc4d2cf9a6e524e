import type { ChunkSink, ModelProvider, ModelRequest } from '../../../core/ports/model-provider.ts';
import { createConnection, type UpstreamOptions } from '../upstream/connection.ts';
import { createEndpoint } from '../upstream/endpoint.ts';
import { type Outcome, withRetries } from '../upstream/retry.ts';
import { attempt } from './attempt.ts';
import { listModels } from './model-list.ts';
import { COMMON_HABITS, habitsAfter } from './request-body.ts';

export interface OpenAiCompatibleOptions extends UpstreamOptions {
  /** Up to and with the version, such as `https://api.openai.com/v1`. */
  readonly baseUrl: string;
  /** Null for a server that wants none. */
  readonly apiKey: string | null;
}

/** A provider behind any server that speaks OpenAI's chat completions. Learns which request fields the server does not know. */
export function createOpenAiCompatibleProvider(options: OpenAiCompatibleOptions): ModelProvider {
  const authorize = (key: string) => ({ name: 'authorization', value: `Bearer ${key}` });
  const connection = createConnection(createEndpoint({ ...options, authorize }), options);
  let learnt = COMMON_HABITS;

  /** One try; a refusal of a field that this server does not know is answered with another form of the request. */
  async function tryOnce(request: ModelRequest, sink: ChunkSink, signal: AbortSignal): Promise<Outcome> {
    const refused = new Set<string>();
    for (let habits = learnt; ; ) {
      const outcome = await attempt(connection, { request, habits, sink, signal });
      if ('end' in outcome) {
        if (refused.size > 0) learnt = habits;
        return outcome;
      }
      refused.add(JSON.stringify(habits));
      const other = habitsAfter(outcome.failure.refusal, habits);
      if (other === null || refused.has(JSON.stringify(other))) return outcome;
      habits = other;
    }
  }

  return {
    stream: (request, sink, signal) => withRetries(() => tryOnce(request, sink, signal), options, signal),
    listModels: (signal) => listModels(connection.endpoint, signal),
  };
}
