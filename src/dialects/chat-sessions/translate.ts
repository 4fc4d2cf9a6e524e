import { AppError } from '../../core/errors.ts';
import { type Message, textOf } from '../../core/message.ts';
import { ExtractionError } from '../../core/ports/extractor.ts';
import type { ThreadFigures } from '../../core/ports/thread-query.ts';
import { extractionWords } from '../../core/refusals.ts';
import type { Thread } from '../../core/thread.ts';
import type { IncomingMessage, StartRun } from '../../engine/index.ts';
import type { ErrorShape, FailedRequest } from '../../http/error-handler.ts';
import type { MessageHistory } from '../../http/message-history.ts';
import type { RunAnswer } from '../../http/run-answer.ts';
import { formatTime } from '../../http/time.ts';
import type { StreamBody } from './wire.ts';

const DEFAULT_TEMPERATURE = 0.7;

/** A sent conversation: what belongs in the thread, and what is for this answer only. */
export interface SentConversation {
  readonly turns: readonly IncomingMessage[];
  readonly settings: Pick<StartRun, 'temperature' | 'maxTokens' | 'instructions' | 'revoked'>;
}

/** Reads the messages of a `/stream` body; `validation_failed` unless the last one is the user's. */
export function readConversation(body: StreamBody): SentConversation {
  if (body.messages.at(-1)?.role !== 'user') {
    const message = 'must end with a message of role user';
    throw new AppError('validation_failed', `messages ${message}.`, { fields: [{ path: ['messages'], message, keyword: 'last' }] });
  }
  const turns: IncomingMessage[] = [];
  const instructions: string[] = [];
  for (const { role, content } of body.messages) {
    if (role === 'system') instructions.push(content);
    else turns.push({ role, parts: [{ type: 'text', text: content }] });
  }
  const settings = { temperature: body.temperature ?? DEFAULT_TEMPERATURE, maxTokens: body.max_tokens ?? null, instructions };
  return { turns, settings };
}

/** A thread with what a session shows of it. */
export interface StoredSession extends MessageHistory {
  readonly thread: Thread;
  readonly figures: ThreadFigures;
  /** What answers in a thread without a model of its own. */
  readonly defaultModel: string;
}

/** A thread as a session. */
export function toSession({ thread, figures, defaultModel, messages, truncated }: StoredSession): object {
  return {
    id: thread.number,
    user_id: thread.userNumber,
    application_id: thread.applicationNumber,
    model: thread.model ?? defaultModel,
    title: titleOf(thread),
    messages: messages.map(toSessionMessage),
    ...(truncated && { messages_truncated: true }),
    created_at: formatTime(thread.createdAt),
    updated_at: formatTime(thread.updatedAt),
    thread_id: thread.id,
    ...toMetadata(thread, figures),
  };
}

/** What `/metadata` shows of a thread. */
export function toMetadata(thread: Thread, figures: ThreadFigures): object {
  return {
    message_count: figures.messages,
    total_tokens: figures.totalTokens,
    last_message_at: figures.lastMessageAt === null ? null : formatTime(figures.lastMessageAt),
    tags: thread.tags,
    summary: null,
  };
}

/** A thread as `/switch-model` shows it. */
export function toSwitched(thread: Thread, { messages, truncated }: MessageHistory): object {
  return {
    session_id: thread.number,
    model: thread.model,
    messages: messages.map(toSessionMessage),
    ...(truncated && { messages_truncated: true }),
    title: titleOf(thread),
  };
}

function titleOf(thread: Thread): string {
  return thread.title || 'New Chat';
}

function toSessionMessage({ role, parts }: Message): object {
  return { role, content: textOf(parts) };
}

/** A completed run as the one JSON object of `"stream": false`. */
export function toCompletion({ run, message }: RunAnswer): object {
  const { usage } = run;
  return {
    id: run.id,
    object: 'chat.completion',
    created: Math.floor(run.createdAt / 1000),
    model: run.snapshot.model,
    choices: [{ index: 0, message: { role: 'assistant', content: textOf(message.parts) }, finish_reason: run.finishReason }],
    usage: usage && {
      prompt_tokens: usage.input_tokens,
      completion_tokens: usage.output_tokens,
      total_tokens: usage.input_tokens + usage.output_tokens,
    },
    session_id: run.threadNumber,
  };
}

function detailOf({ code, message, cause }: AppError): string {
  switch (code) {
    case 'auth_missing':
      return 'Not authenticated';
    case 'auth_invalid':
    case 'auth_revoked':
      return 'Could not validate credentials';
    case 'thread_not_found':
      return 'Chat session not found';
    case 'prompt_not_found':
      return 'Prompt not found';
    case 'file_type_unsupported':
      return 'Only PDF files are supported';
    case 'file_too_large':
      return 'File size exceeds maximum limit';
    case 'file_unreadable':
      return `Failed to extract text from PDF: ${cause instanceof ExtractionError ? extractionWords(cause.reason) : message}`;
    default:
      return message;
  }
}

function sourceOf(field: string | number | undefined, request: FailedRequest): 'path' | 'query' | 'body' {
  if (field !== undefined && Object.hasOwn(request.params as object, field)) return 'path';
  return field !== undefined && Object.hasOwn(request.query as object, field) ? 'query' : 'body';
}

/** Failures as `{detail, code}`, a malformed request with one entry per mistake. */
export const chatSessionsErrors: ErrorShape = {
  contentType: 'application/json; charset=utf-8',
  status: {
    model_unknown: 400,
    file_type_unsupported: 400,
    file_unreadable: 400,
    body_not_object: 422,
    body_invalid: 422,
    body_too_deep: 422,
  },
  body: (failure, _status, request) => ({
    detail: detailOf(failure),
    code: failure.code,
    ...(failure.fields.length > 0 && {
      errors: failure.fields.map(({ path, message, keyword }) => ({
        loc: [sourceOf(path[0], request), ...path],
        msg: message,
        type: keyword,
      })),
    }),
  }),
};
