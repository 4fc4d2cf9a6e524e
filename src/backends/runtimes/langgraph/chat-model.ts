import type { BaseLanguageModelInput } from '@langchain/core/language_models/base';
import { BaseChatModel, type BaseChatModelCallOptions, type BindToolsInput } from '@langchain/core/language_models/chat_models';
import { type AIMessage, AIMessageChunk, type BaseMessage } from '@langchain/core/messages';
import type { ChatResult } from '@langchain/core/outputs';
import { ensureConfig, type Runnable, type RunnableConfig } from '@langchain/core/runnables';
import { convertToOpenAITool } from '@langchain/core/utils/function_calling';
import type { ModelChunk } from '../../../core/ports/model-provider.ts';
import type { ToolDefinition } from '../../../core/tool.ts';
import type { ChatModelOptions, ModelCall, ModelCalls } from './model-calls.ts';
import { stepOf } from './step.ts';

interface CallOptions extends BaseChatModelCallOptions {
  tools?: readonly ToolDefinition[];
  /** The configuration of the call, kept for `_generate`, which gets only what is no configuration. */
  asked?: RunnableConfig;
}

/** LangChain's tags of a call whose text is not shown. */
const HIDDEN = ['nostream', 'langsmith:nostream'];

/**
 * LangChain's chat model over the run's own one. What it says is told as it comes, past LangChain's streams, which cost more a token than
 * all the rest of a run.
 */
export class RunChatModel extends BaseChatModel<CallOptions> {
  private readonly calls: ModelCalls;
  private readonly settings: ChatModelOptions;

  constructor(calls: ModelCalls, settings: ChatModelOptions) {
    super({ disableStreaming: true });
    this.calls = calls;
    this.settings = settings;
  }

  override _llmType(): string {
    return 'polylogue';
  }

  override bindTools(
    tools: BindToolsInput[],
    options?: Partial<CallOptions>,
  ): Runnable<BaseLanguageModelInput, AIMessageChunk, CallOptions> {
    return this.withConfig({ ...options, tools: tools.map(definitionOf) });
  }

  override invoke(input: BaseLanguageModelInput, options?: Partial<CallOptions>): Promise<AIMessageChunk> {
    return super.invoke(input, { ...options, asked: ensureConfig(options) });
  }

  override async _generate(messages: BaseMessage[], options: this['ParsedCallOptions']): Promise<ChatResult> {
    const message = await this.calls.make(this.callFor(messages, options, options.asked ?? {}), () => undefined);
    return { generations: [{ message, text: message.text }] };
  }

  override async *_streamIterator(input: BaseLanguageModelInput, options: Partial<CallOptions> = {}): AsyncGenerator<AIMessageChunk> {
    const messages = BaseChatModel._convertInputToPromptValue(input).toChatMessages();
    const call = this.callFor(messages, options, ensureConfig(options));
    const chunks = new TransformStream<ModelChunk, ModelChunk>(undefined, { highWaterMark: Number.POSITIVE_INFINITY });
    const writer = chunks.writable.getWriter();
    const made = this.calls
      .make(call, (chunk) => void writer.write(chunk))
      .then(
        async (message) => {
          await writer.close();
          return message;
        },
        (error: unknown) => writer.abort(error),
      );
    for await (const chunk of chunks.readable) {
      if (chunk.type === 'text') yield new AIMessageChunk({ content: chunk.text, id: call.id });
    }
    const message = await made;
    if (message) yield lastChunkOf(message);
  }

  private callFor(messages: BaseMessage[], options: Partial<CallOptions>, config: RunnableConfig): ModelCall {
    const hidden = config.tags?.some((tag) => HIDDEN.includes(tag)) === true;
    const signal = config.signal ?? options.signal;
    return { id: this.calls.nextId(), messages, settings: this.settings, tools: options.tools ?? [], hidden, step: stepOf(config), signal };
  }
}

/** What a streamed message has besides its text. */
function lastChunkOf({ id, tool_calls = [], usage_metadata, response_metadata }: AIMessage): AIMessageChunk {
  const tool_call_chunks = tool_calls.map((call, index) => ({
    type: 'tool_call_chunk' as const,
    index,
    id: call.id,
    name: call.name,
    args: JSON.stringify(call.args),
  }));
  return new AIMessageChunk({ content: '', id, tool_call_chunks, usage_metadata, response_metadata });
}

/** A tool as LangChain knows it, as models are told of it. What it does is the graph's matter. */
function definitionOf(tool: BindToolsInput): ToolDefinition {
  const {
    name,
    description = '',
    parameters = { type: 'object' },
  } = convertToOpenAITool(tool as Parameters<typeof convertToOpenAITool>[0]).function;
  return { name, description, parameters: JSON.parse(JSON.stringify(parameters)), readOnly: false };
}
