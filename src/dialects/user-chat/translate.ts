import type { AppError } from '../../core/errors.ts';
import type { ThreadId } from '../../core/ids.ts';
import { type Message, type Part, textOf } from '../../core/message.ts';
import type { Caller } from '../../core/principal.ts';
import type { Thread } from '../../core/thread.ts';
import type { RepeatKey, StartRun } from '../../engine/index.ts';
import type { ErrorShape } from '../../http/error-handler.ts';
import type { MessageHistory } from '../../http/message-history.ts';
import type { RunAnswer } from '../../http/run-answer.ts';
import { formatTime } from '../../http/time.ts';
import { errorCodes } from './error-codes.ts';

/** What a sent message asks of the engine: an answer in a conversation, or in a new one. */
export function toStartRun(owner: Caller, content: string, call: { id: ThreadId | null; repeat: RepeatKey | null }): StartRun {
  return {
    owner,
    thread: call.id ? { id: call.id } : { create: {} },
    ask: { kind: 'append', messages: [{ role: 'user', parts: [{ type: 'text', text: content }] }] },
    repeat: call.repeat,
  };
}

function toMessage({ id, parts, role, createdAt }: Message): object {
  return { id, content: textOf(parts), role, timestamp: formatTime(createdAt), type: 'text' };
}

/** Arguments as the value they are; as they stand when the model wrote no JSON. */
function readArguments(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

/** The tool calls made for an answer, in order, each with its result and status once it has them. */
export function toToolCalls(parts: readonly Part[]): readonly object[] {
  return parts.flatMap((call) => {
    if (call.type !== 'tool_call') return [];
    const returned = parts.find((part) => part.type === 'tool_result' && part.call_id === call.call_id);
    if (returned?.type === 'tool_result' && returned.status === 'denied') return [];
    const outcome = returned?.type === 'tool_result' ? { result: returned.result, status: returned.status } : {};
    return [{ name: call.name, arguments: readArguments(call.arguments), ...outcome }];
  });
}

/** A completed run as the answer to `/chat`. */
export function toChatAnswer({ run, message }: RunAnswer): object {
  return {
    success: true,
    message: toMessage(message),
    conversation_id: run.threadId,
    tool_calls: toToolCalls(message.parts),
  };
}

/** A thread as a conversation without its messages. */
export function toConversation(thread: Thread): object {
  return {
    id: thread.id,
    user_id: thread.userId,
    title: thread.title,
    status: thread.archived ? 'archived' : 'active',
    created_at: formatTime(thread.createdAt),
    updated_at: formatTime(thread.updatedAt),
  };
}

/** A thread as a conversation with messages, each with how it came out. */
export function toConversationWithMessages(thread: Thread, { messages, truncated }: MessageHistory): object {
  return {
    ...toConversation(thread),
    messages: messages.map((message) => ({ ...toMessage(message), status: message.status })),
    ...(truncated && { messages_truncated: true }),
  };
}

function wordsOf({ code, message }: AppError): string {
  switch (code) {
    case 'auth_other_user':
      return 'Unauthorized';
    case 'auth_expired':
      return 'Token expired';
    case 'auth_invalid':
    case 'auth_revoked':
      return 'Invalid token';
    case 'auth_missing':
      return 'Not authenticated';
    case 'thread_not_found':
      return 'Conversation not found';
    default:
      return message;
  }
}

function detailsOf({ fields, runId }: AppError): object | null {
  if (runId !== undefined) return { run_id: runId };
  if (fields.length === 0) return null;
  return { errors: fields.map(({ path, message, keyword }) => ({ loc: path, msg: message, type: keyword })) };
}

/** Failures with the words twice, as `detail` and as `error`, because clients read either. */
export const userChatErrors: ErrorShape = {
  contentType: 'application/json; charset=utf-8',
  status: { auth_other_user: 401, body_not_object: 422, body_invalid: 422, body_too_deep: 422 },
  body(failure) {
    const words = wordsOf(failure);
    const details = detailsOf(failure);
    return { success: false, detail: words, error: words, code: errorCodes[failure.code], ...(details && { details }) };
  },
};
