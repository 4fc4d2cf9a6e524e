import { AIMessage, type BaseMessage } from '@langchain/core/messages';
import type { AgentTask } from '../../../core/ports/agent-runtime.ts';
import type { ModelChunk, ModelEnd, ModelRequest } from '../../../core/ports/model-provider.ts';
import type { FinishReason } from '../../../core/run.ts';
import type { ToolDefinition } from '../../../core/tool.ts';
import type { Narrator, Origin } from '../narrator.ts';
import { stepLimitReached } from '../refusals.ts';
import { argumentsOf, fromLangChain } from './messages.ts';

/** What a graph may ask of the model that it calls. */
export interface ChatModelOptions {
  readonly temperature?: number;
  readonly maxTokens?: number;
}

/** One call of the model by a graph. */
export interface ModelCall {
  /** The id of the message that it makes. */
  readonly id: string;
  readonly messages: readonly BaseMessage[];
  readonly settings: ChatModelOptions;
  readonly tools: readonly ToolDefinition[];
  /** Its text is not part of the answer. */
  readonly hidden: boolean;
  readonly step: Origin['step'];
  readonly signal: AbortSignal | undefined;
}

/** The calls that a graph makes of its run's model. */
export interface ModelCalls {
  nextId(): string;
  make(call: ModelCall, each: (chunk: ModelChunk) => void): Promise<AIMessage>;
  /** How the last call whose text is part of the answer has ended. */
  readonly lastReason: FinishReason;
}

type CallingTask = Pick<AgentTask, 'agent' | 'run' | 'request' | 'provider' | 'signal'>;

export function createModelCalls(task: CallingTask, narrator: Narrator): ModelCalls {
  const { agent, run, provider } = task;
  let made = 0;
  let lastReason: FinishReason = 'stop';

  async function make(call: ModelCall, each: (chunk: ModelChunk) => void): Promise<AIMessage> {
    made += 1;
    if (made > agent.stepLimit) throw stepLimitReached(agent.stepLimit);
    const { id, step, hidden } = call;
    if (hidden) narrator.skip(id);
    const said: ModelChunk[] = [];
    const sink = (chunk: ModelChunk): void | Promise<void> => {
      said.push(chunk);
      each(chunk);
      if (hidden || chunk.type === 'tool_call') return undefined;
      return chunk.type === 'text' ? narrator.say(chunk.text, { step, message: id }) : narrator.think(chunk.text);
    };
    const signal = call.signal ? AbortSignal.any([task.signal, call.signal]) : task.signal;
    const end = await provider.stream(requestOf(task.request, call), sink, signal);
    narrator.spend(end.usage);
    narrator.skip(id);
    if (!hidden) lastReason = end.reason === 'tool_calls' ? 'stop' : end.reason;
    return messageOf(call, said, end);
  }

  return {
    nextId: () => `answer-${run.attempt}-${made + 1}-${crypto.randomUUID()}`,
    make,
    get lastReason() {
      return lastReason;
    },
  };
}

function requestOf(request: ModelRequest, { messages, settings, tools }: ModelCall): ModelRequest {
  const { temperature = request.temperature, maxTokens = request.maxTokens } = settings;
  return { ...request, messages: fromLangChain(messages), temperature, maxTokens, tools };
}

function messageOf({ id, messages }: ModelCall, said: readonly ModelChunk[], { reason, usage }: ModelEnd): AIMessage {
  const content = said.map((chunk) => (chunk.type === 'text' ? chunk.text : '')).join('');
  const usage_metadata = usage && { ...usage, total_tokens: usage.input_tokens + usage.output_tokens };
  return new AIMessage({
    id,
    content,
    ...callsIn(said, messages),
    response_metadata: { finish_reason: reason },
    ...(usage_metadata && { usage_metadata }),
  });
}

/** Calls, and those that LangChain calls invalid, since their arguments are no object. */
function callsIn(said: readonly ModelChunk[], messages: readonly BaseMessage[]) {
  const used = new Set(
    messages.flatMap((message) => (AIMessage.isInstance(message) ? (message.tool_calls ?? []) : [])).map(({ id }) => id),
  );
  const tool_calls: NonNullable<AIMessage['tool_calls']> = [];
  const invalid_tool_calls: NonNullable<AIMessage['invalid_tool_calls']> = [];
  for (const chunk of said) {
    if (chunk.type !== 'tool_call') continue;
    // Results are found by the ids of their calls, which some models use again.
    const id = chunk.call_id === '' || used.has(chunk.call_id) ? `call_${crypto.randomUUID()}` : chunk.call_id;
    used.add(id);
    const { name, arguments: json } = chunk;
    const args = argumentsOf(json);
    if (args) tool_calls.push({ type: 'tool_call', id, name, args });
    else invalid_tool_calls.push({ type: 'invalid_tool_call', id, name, args: json, error: 'The arguments are no JSON object' });
  }
  return { tool_calls, invalid_tool_calls };
}
