import type { Usage } from '../../../core/message.ts';
import type { ModelEnd, ModelError } from '../../../core/ports/model-provider.ts';
import { interrupted, malformed, statusError } from '../upstream/failures.ts';
import { elementsOf, fieldsOf, parseJson, stringOf } from '../upstream/json-fields.ts';
import { hand, handText, measure, type Outlet, release } from '../upstream/outlet.ts';
import type { Quote } from '../upstream/redact.ts';
import { createTextTemplate, learnText, matchText, type TextTemplate } from './text-template.ts';
import { createToolCalls, type ToolCalls } from './tool-calls.ts';

/** What was understood of one answer in OpenAI's chat completion format. One object with functions beside it: there is one for every stream. */
export interface AnswerReader {
  /** Gets the chunks, in order. */
  readonly outlet: Outlet;
  readonly calls: ToolCalls;
  readonly template: TextTemplate;
  readonly quote: Quote;
  /** True once `[DONE]` was read. */
  isDone: boolean;
  /** The provider's reason for the end. */
  ended: string | null;
  usage: Usage | null;
}

/** A reader for one answer. */
export function createAnswerReader(outlet: Outlet, quote: Quote): AnswerReader {
  return { outlet, calls: createToolCalls(), template: createTextTemplate(), quote, isDone: false, ended: null, usage: null };
}

/** Takes one payload: a stream chunk, `[DONE]`, or a whole non-streamed answer. Throws a `ModelError`, or what the sink throws. */
export function takePayload(reader: AnswerReader, payload: string): void {
  if (reader.isDone || payload === '') return;
  const text = matchText(reader.template, payload);
  if (text !== null) {
    handText(reader.outlet, 'text', text);
    return;
  }
  reader.isDone = payload.trim() === '[DONE]';
  if (!reader.isDone) takeChunk(reader, payload);
}

/** True once the provider has given a reason for the end, or `[DONE]`. */
export function hasEnded({ isDone, ended }: AnswerReader): boolean {
  return isDone || ended !== null;
}

/** Hands over the tool calls. Throws `upstream_interrupted` when the provider never said that the answer is over. */
export function finishAnswer(reader: AnswerReader): ModelEnd {
  if (!hasEnded(reader)) throw interrupted(new Error('no end of the answer'));
  release(reader.outlet);
  const whole = reader.calls.whole();
  for (const call of whole) hand(reader.outlet, call);
  return { reason: reasonOf(reader.ended, whole.length > 0), usage: reader.usage };
}

function takeChunk(reader: AnswerReader, payload: string): void {
  const chunk = parseJson(payload);
  if (typeof chunk !== 'object' || chunk === null) throw malformed(new Error('payload is no JSON object'));
  const fields = fieldsOf(chunk);
  if (fields.error !== undefined && fields.error !== null) throw errorInStream(fields.error, reader.quote);
  reader.usage = usageOf(fields.usage) ?? reader.usage;
  const choice = elementsOf(fields.choices)[0];
  if (choice === undefined) return;
  takeChoice(reader, fieldsOf(choice));
  const text = onlyTextOf(fields, choice);
  if (text !== '') learnText(reader.template, payload, text);
}

function takeChoice(reader: AnswerReader, choice: Readonly<Record<string, unknown>>): void {
  const { outlet, calls } = reader;
  const delta = fieldsOf(choice.delta ?? choice.message);
  handText(outlet, 'reasoning', stringOf(delta.reasoning_content) || stringOf(delta.reasoning));
  handText(outlet, 'text', contentOf(delta.content) || stringOf(delta.refusal));
  measure(outlet, calls.add(delta.tool_calls));
  if (typeof choice.finish_reason === 'string') reader.ended = choice.finish_reason;
  if (reader.ended === 'error') throw statusError(500, '');
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
