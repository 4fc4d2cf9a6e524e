import { createHash } from 'node:crypto';
import type { AppError, ErrorCode } from '../../core/errors.ts';
import type { ThreadId } from '../../core/ids.ts';
import { type Message, textOf } from '../../core/message.ts';
import type { Caller } from '../../core/principal.ts';
import type { StartRun } from '../../engine/index.ts';
import { formatTime } from '../../http/time.ts';
import type { ClientFrame, FrameSubject } from './wire.ts';

const GREETING = 'Hello! How can I help you?';

/** A stored message; a completed one has no `status`. */
export function toMessageFrame(message: Message): object {
  return {
    type: 'message',
    id: message.id,
    thread_id: message.threadId,
    role: message.role,
    content: textOf(message.parts),
    created_at: formatTime(message.createdAt),
    ...(message.status !== 'completed' && { status: message.status }),
  };
}

/** What an empty thread says, in its agent's words where they are known; it is stored nowhere, and its id is the thread's, because each greeting of a thread is the same one. */
export function greetingFrame(threadId: ThreadId, now: number, greeting: string | null): object {
  const content = greeting ?? GREETING;
  return { type: 'message', id: threadId, thread_id: threadId, role: 'assistant', content, created_at: formatTime(now) };
}

/** A failure, with the thread and the job it is about where they are known. */
export function toErrorFrame(error: AppError, { threadId, jobId }: FrameSubject = {}): object {
  return {
    type: 'error',
    message: words[error.code] ?? error.message,
    code: error.code,
    ...(threadId && { thread_id: threadId }),
    ...(jobId && { job_id: jobId }),
    ...(error.retryAfterSeconds !== undefined && { retry_after: error.retryAfterSeconds }),
  };
}

/** Where this protocol has words of its own. */
const words: Partial<Record<ErrorCode, string>> = {
  auth_missing: 'Send a token as ?token= or an API key as ?key=, or either in a header of the upgrade',
  auth_expired: 'Token expired',
  agent_unknown: 'Unknown agent',
  run_not_found: 'Unknown job',
  idempotency_mismatch: 'This client ID was used with another message',
};

type MessageRequest = Extract<ClientFrame, { type: 'message' }>;

/** What a `message` asks of the engine: its thread is opened, or made. */
export function toStartRun(owner: Caller, { threadId, content, agent, clientId }: MessageRequest): StartRun {
  const fingerprint = () =>
    createHash('sha256')
      .update(JSON.stringify(['chat-ws', threadId, content, agent]))
      .digest('hex');
  return {
    owner,
    thread: { create: { id: threadId } },
    ask: { kind: 'append', messages: [{ role: 'user', parts: [{ type: 'text', text: content }] }] },
    agent,
    repeat: clientId === null ? null : { key: clientId, fingerprint: fingerprint() },
  };
}
