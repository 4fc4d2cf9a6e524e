import type { Usage } from '../../../core/message.ts';
import type { ChunkSink, ModelEnd, ModelError } from '../../../core/ports/model-provider.ts';
import { interrupted, malformed, statusError } from '../upstream/failures.ts';
import { elementsOf, fieldsOf, parseJson, stringOf } from '../upstream/json-fields.ts';
import { createOutlet } from '../upstream/outlet.ts';
import type { Quote } from '../upstream/redact.ts';
import { createTextTemplate } from './text-template.ts';
import { createToolCalls } from './tool-calls.ts';

/** Understands the payloads of one answer and hands its chunks to the sink, in order. */
export interface AnswerReader {
  /** Takes one payload: a stream chunk, `[DONE]`, or a whole non-streamed answer. Throws a `ModelError`, or what the sink throws. */
  take(payload: string): void;
  /** Hands over the text of the payloads so far. */
  release(): void;
  /** Releases, and gives what the sink asked to wait for since the last call; null when nothing. */
  held(): Promise<unknown> | null;
  /** Hands over the tool calls. Throws `upstream_interrupted` when the provider never said that the answer is over. */
  finish(): ModelEnd;
  /** True once the provider has given a reason for the end, or `[DONE]`. */
  hasEnded(): boolean;
  /** True once `[DONE]` was read. */
  isDone(): boolean;
  /** True once the sink has got a chunk. */
  hasDelivered(): boolean;
}

interface ReaderOptions {
  readonly sink: ChunkSink;
  /** Bound for text, reasoning and arguments together. */
  readonly maxCharacters: number;
  readonly quote: Quote;
}

/** A reader for one answer in OpenAI's chat completion format. */
export function createAnswerReader({ sink, maxCharacters, quote }: ReaderOptions): AnswerReader {
  const outlet = createOutlet(sink, maxCharacters);
  const calls = createToolCalls();
  const template = createTextTemplate();
  let done = false;
  let ended: string | null = null;
  let usage: Usage | null = null;

  function takeChoice(choice: Readonly<Record<string, unknown>>): void {
    const delta = fieldsOf(choice.delta ?? choice.message);
    outlet.handText('reasoning', stringOf(delta.reasoning_content) || stringOf(delta.reasoning));
    outlet.handText('text', contentOf(delta.content) || stringOf(delta.refusal));
    outlet.measure(calls.add(delta.tool_calls));
    if (typeof choice.finish_reason === 'string') ended = choice.finish_reason;
    if (ended === 'error') throw statusError(500, '');
  }

  function takeChunk(payload: string): void {
    const chunk = parseJson(payload);
    if (typeof chunk !== 'object' || chunk === null) throw malformed(new Error('payload is no JSON object'));
    const fields = fieldsOf(chunk);
    if (fields.error !== undefined && fields.error !== null) throw errorInStream(fields.error, quote);
    usage = usageOf(fields.usage) ?? usage;
    const choice = elementsOf(fields.choices)[0];
    if (choice === undefined) return;
    takeChoice(fieldsOf(choice));
    const text = onlyTextOf(fields, choice);
    if (text !== '') template.learn(payload, text);
  }

  return {
    take(payload) {
      if (done || payload === '') return;
      const text = template.match(payload);
      if (text !== null) return outlet.handText('text', text);
      done = payload.trim() === '[DONE]';
      if (!done) takeChunk(payload);
    },
    finish() {
      if (!done && ended === null) throw interrupted(new Error('no end of the answer'));
      outlet.release();
      const whole = calls.whole();
      for (const call of whole) outlet.hand(call);
      return { reason: reasonOf(ended, whole.length > 0), usage };
    },
    release: outlet.release,
    held: outlet.held,
    hasDelivered: outlet.hasDelivered,
    hasEnded: () => done || ended !== null,
    isDone: () => done,
  };
}

/** The text of a chunk that says nothing besides; empty for all others. */
function onlyTextOf(chunk: Readonly<Record<string, unknown>>, choice: unknown): string {
  const { delta, finish_reason: finished } = fieldsOf(choice);
  const { content, reasoning_content, reasoning, refusal, tool_calls: calls } = fieldsOf(delta);
  const rest = [chunk.usage, finished, reasoning_content, reasoning, refusal, calls];
  return rest.every((value) => value === undefined || value === null) ? stringOf(content) : '';
}

/** Content is a string; Mistral's reasoning models send a list of parts. */
function contentOf(content: unknown): string {
  if (typeof content === 'string') return content;
  let text = '';
  for (const part of elementsOf(content)) text += stringOf(fieldsOf(part).text);
  return text;
}

function usageOf(value: unknown): Usage | null {
  const { prompt_tokens: input, completion_tokens: output } = fieldsOf(value);
  if (typeof input !== 'number' && typeof output !== 'number') return null;
  return { input_tokens: countOf(input), output_tokens: countOf(output) };
}

function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

function reasonOf(ended: string | null, hasCalls: boolean): ModelEnd['reason'] {
  if (ended === 'length' || ended === 'max_tokens') return 'length';
  if (ended === 'content_filter') return 'content_filter';
  return hasCalls ? 'tool_calls' : 'stop';
}

function errorInStream(error: unknown, quote: Quote): ModelError {
  const fields = fieldsOf(error);
  const quoted = quote(stringOf(fields.message) || stringOf(error));
  const status = Number(fields.status ?? fields.code);
  if (status >= 400 && status < 600) return statusError(status, quoted);
  const kind = `${stringOf(fields.type)} ${stringOf(fields.code)}`;
  if (/rate_limit|insufficient_quota/.test(kind)) return statusError(429, quoted);
  if (/authentication|permission|invalid_api_key/.test(kind)) return statusError(401, quoted);
  if (/invalid_request|context_length/.test(kind)) return statusError(400, quoted);
  return statusError(500, quoted);
}
