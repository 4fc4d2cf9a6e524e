import type { LanguageModelV4FinishReason, LanguageModelV4StreamPart, LanguageModelV4Usage } from '@ai-sdk/provider';
import type { Usage } from '../../../core/message.ts';
import type { ModelEnd } from '../../../core/ports/model-provider.ts';
import type { FinishReason } from '../../../core/run.ts';
import { interrupted, malformed, statusError, tooLong } from '../upstream/failures.ts';
import { hand, handText, measure, type Outlet } from '../upstream/outlet.ts';
import type { Quote } from '../upstream/redact.ts';
import { sdkError } from './sdk-error.ts';

const MAX_CALLS = 128;

/** Understands the parts of one answer and hands its chunks to the outlet, synchronously and in order. */
export interface PartReader {
  /** Takes one part; returns the answer's end when this was it. Throws a `ModelError`, or what the sink throws. */
  take(part: LanguageModelV4StreamPart): ModelEnd | null;
}

/** A reader for one answer. What a chat has no place for (files, sources, the provider's own tools) is passed over. */
export function createPartReader(outlet: Outlet, quote: Quote): PartReader {
  let calls = 0;

  function handCall(part: Extract<LanguageModelV4StreamPart, { type: 'tool-call' }>): void {
    if (part.providerExecuted === true) return;
    calls += 1;
    if (calls > MAX_CALLS) throw tooLong();
    measure(outlet, part.toolCallId.length + part.toolName.length + part.input.length);
    hand(outlet, { type: 'tool_call', call_id: part.toolCallId, name: part.toolName, arguments: part.input });
  }

  return {
    take(part) {
      switch (part.type) {
        case 'text-delta':
          handText(outlet, 'text', part.delta);
          return null;
        case 'reasoning-delta':
          handText(outlet, 'reasoning', part.delta);
          return null;
        case 'tool-call':
          handCall(part);
          return null;
        case 'error':
          throw sdkError(part.error, quote);
        case 'finish':
          return { reason: reasonOf(part.finishReason, calls > 0), usage: usageOf(part.usage) };
        case 'text-start':
        case 'text-end':
        case 'reasoning-start':
        case 'reasoning-end':
        case 'tool-input-start':
        case 'tool-input-delta':
        case 'tool-input-end':
        case 'tool-approval-request':
        case 'tool-result':
        case 'custom':
        case 'file':
        case 'reasoning-file':
        case 'source':
        case 'stream-start':
        case 'response-metadata':
        case 'ping':
        case 'raw':
          return null;
      }
    },
  };
}

function reasonOf({ unified, raw }: LanguageModelV4FinishReason, hasCalls: boolean): FinishReason {
  switch (unified) {
    case 'length':
      return 'length';
    case 'content-filter':
      return 'content_filter';
    case 'stop':
    case 'tool-calls':
    case 'other':
      return hasCalls ? 'tool_calls' : 'stop';
    case 'interrupted':
      throw interrupted(new Error('no end of the answer'));
    case 'error':
      throw raw === undefined ? malformed(new Error('no reason for the end')) : statusError(500, '');
  }
}

function usageOf({ inputTokens, outputTokens }: LanguageModelV4Usage): Usage | null {
  if (inputTokens.total === undefined && outputTokens.total === undefined) return null;
  return { input_tokens: countOf(inputTokens.total), output_tokens: countOf(outputTokens.total) };
}

function countOf(tokens: number | undefined): number {
  return tokens !== undefined && Number.isSafeInteger(tokens) && tokens > 0 ? tokens : 0;
}
