import type { SourcePassage } from '../attachment.ts';
import type { Part, Usage } from '../message.ts';
import type { FinishReason } from '../run.ts';
import type { ToolDefinition } from '../tool.ts';

/** One message as a provider is to see it; made by `engine/context/render.ts`, which keeps the order legal. */
export interface PromptMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly parts: readonly Part[];
}

export interface ModelRequest {
  /** The provider's own name of the model. */
  readonly model: string;
  readonly messages: readonly PromptMessage[];
  readonly temperature: number | null;
  readonly maxTokens: number | null;
  /** Tokens that the messages leave free for the answer: the limit at a provider that must have one when nobody asked for any. */
  readonly maxOutput?: number;
  /** What the model may call; without any it is told of none. */
  readonly tools?: readonly ToolDefinition[];
  /** What of the user's files stands in the messages, what matches the question best first. */
  readonly passages?: readonly SourcePassage[];
}

interface TextChunk {
  readonly type: 'text' | 'reasoning';
  readonly text: string;
  /** True where a source that has paused brings all that came meanwhile as one chunk. */
  readonly gathers?: boolean;
}

/** A piece of an answer as it comes. `text` may end inside a surrogate pair or a line ending: whoever logs it mends that. */
export type ModelChunk =
  | TextChunk
  | { readonly type: 'tool_call'; readonly call_id: string; readonly name: string; readonly arguments: string };

/** How an answer ended. */
export interface ModelEnd {
  readonly reason: FinishReason;
  readonly usage: Usage | null;
}

/** Takes a chunk. A promise asks the provider to pause its source until it resolves. */
export type ChunkSink = (chunk: ModelChunk) => void | Promise<void>;

export interface ModelProvider {
  /**
   * Streams one answer. Rejects with a `ModelError`; with the signal's reason when aborted, having closed its connection.
   * Tries again by itself only before the first chunk.
   */
  stream(request: ModelRequest, sink: ChunkSink, signal: AbortSignal): Promise<ModelEnd>;
  /** Names that the provider serves now; an empty list when it cannot tell. */
  listModels(signal: AbortSignal): Promise<readonly string[]>;
}

export type ModelErrorCode =
  | 'upstream_rejected'
  | 'upstream_unauthorized'
  | 'upstream_rate_limited'
  | 'upstream_unavailable'
  | 'upstream_timeout'
  | 'upstream_interrupted'
  | 'upstream_malformed'
  | 'upstream_too_long';

/** A provider's failure in words that may be shown to a caller: no key, no address, no provider internals. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  readonly code: ModelErrorCode;
  readonly retryable: boolean;

  constructor(code: ModelErrorCode, message: string, options: { retryable: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable;
  }
}
