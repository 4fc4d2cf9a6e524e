import { parseUuid, type ThreadId } from '../../core/ids.ts';
import type { Owner, Principal } from '../../core/principal.ts';
import type { RepeatKey, StartRun } from '../../engine/index.ts';
import { ownerOf } from '../../http/authenticate.ts';
import type { ErrorShape } from '../../http/error-handler.ts';
import type { ChatBody } from './wire.ts';

/** Failures as levia words them. A session that is not there is a matter of permission in this protocol: 401. */
export const leviaErrors: ErrorShape = {
  contentType: 'application/json; charset=utf-8',
  status: { thread_not_found: 401, validation_failed: 400, unicode_invalid: 400, model_unknown: 400 },
  body: ({ code, message }) => ({
    status: 'error',
    message: code === 'auth_missing' || code === 'auth_invalid' ? 'Invalid or missing API key' : message,
  }),
};

/** The owner that a request for `userId` concerns; null when a token names another user than its own. */
export function ownerFor(principal: Principal, userId: string): Owner | null {
  if (principal.kind === 'user' && principal.userId !== userId) return null;
  return ownerOf(principal, userId);
}

/** The thread that a `session_id` names; null when it can name none. */
export function threadIdOf(body: ChatBody): ThreadId | null {
  return parseUuid<ThreadId>(body.session_id);
}

/** What a `chat` request asks of the engine. */
export function toStartRun(owner: Owner, body: ChatBody, target: { id: ThreadId; repeat: RepeatKey | null }): StartRun {
  return {
    owner,
    thread: { id: target.id },
    ask: { kind: 'append', messages: [{ role: 'user', parts: [{ type: 'text', text: body.intent }] }] },
    repeat: target.repeat,
  };
}
