import { type Model, type ModelRequest, type ModelResponse, type StreamEvent, Usage } from '@openai/agents';
import type { AgentTask } from '../../../core/ports/agent-runtime.ts';
import type { ModelChunk, ModelEnd } from '../../../core/ports/model-provider.ts';
import type { FinishReason } from '../../../core/run.ts';
import type { Narrator } from '../narrator.ts';
import { definitionsIn, fromSdk } from './items.ts';

/** What the SDK takes as one answer of a model. */
type Output = Extract<StreamEvent, { type: 'response_done' }>['response']['output'];

/** The run's model in the SDK's form, and how its last answer ended. */
export interface RunModel extends Model {
  readonly lastReason: FinishReason;
  /** What the provider rejected with; the SDK may put it into other words. */
  readonly failure: unknown;
}

type CallingTask = Pick<AgentTask, 'request' | 'provider' | 'signal'>;

/** What the model says is told as it comes, past the SDK's streams. */
export function createRunModel(task: CallingTask, narrator: Narrator): RunModel {
  let lastReason: FinishReason = 'stop';
  let failure: unknown = null;

  async function answer(request: ModelRequest): Promise<ModelResponse & { readonly output: Output }> {
    const id = crypto.randomUUID();
    const said: ModelChunk[] = [];
    const sink = (chunk: ModelChunk): void | Promise<void> => {
      said.push(chunk);
      if (chunk.type === 'text') return narrator.say(chunk.text, { step: null, message: id });
      return chunk.type === 'reasoning' ? narrator.think(chunk.text) : undefined;
    };
    const { temperature = task.request.temperature, maxTokens = task.request.maxTokens } = request.modelSettings;
    const asked = { ...task.request, messages: fromSdk(request), tools: definitionsIn(request), temperature, maxTokens };
    const signal = request.signal ? AbortSignal.any([task.signal, request.signal]) : task.signal;
    const end = await task.provider.stream(asked, sink, signal).catch((error: unknown) => {
      failure = error;
      throw error;
    });
    narrator.spend(end.usage);
    lastReason = end.reason === 'tool_calls' ? 'stop' : end.reason;
    return { usage: usageOf(end), output: outputOf(id, said, callIdsIn(request)), responseId: id };
  }

  return {
    getResponse: answer,
    async *getStreamedResponse(request): AsyncIterable<StreamEvent> {
      yield { type: 'response_started' };
      const { usage, output, responseId = '' } = await answer(request);
      const { inputTokens, outputTokens, totalTokens } = usage;
      yield { type: 'response_done', response: { id: responseId, usage: { inputTokens, outputTokens, totalTokens }, output } };
    },
    get lastReason() {
      return lastReason;
    },
    get failure() {
      return failure;
    },
  };
}

function usageOf({ usage }: ModelEnd): Usage {
  const { input_tokens: inputTokens = 0, output_tokens: outputTokens = 0 } = usage ?? {};
  return new Usage({ requests: 1, inputTokens, outputTokens, totalTokens: inputTokens + outputTokens });
}

function callIdsIn({ input }: ModelRequest): ReadonlySet<string> {
  return new Set(typeof input === 'string' ? [] : input.flatMap((item) => (item.type === 'function_call' ? [item.callId] : [])));
}

function outputOf(id: string, said: readonly ModelChunk[], usedIds: ReadonlySet<string>): Output {
  const text = said.map((chunk) => (chunk.type === 'text' ? chunk.text : '')).join('');
  const used = new Set(usedIds);
  const calls = said.flatMap((chunk): Output => {
    if (chunk.type !== 'tool_call') return [];
    // The SDK finds calls by their ids, which some models use again.
    const callId = chunk.call_id === '' || used.has(chunk.call_id) ? `call_${crypto.randomUUID()}` : chunk.call_id;
    used.add(callId);
    return [{ type: 'function_call', callId, name: chunk.name, arguments: chunk.arguments, status: 'completed' }];
  });
  if (text === '' && calls.length > 0) return calls;
  return [{ type: 'message', id, role: 'assistant', status: 'completed', content: [{ type: 'output_text', text }] }, ...calls];
}
