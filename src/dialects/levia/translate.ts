import type { ErrorCode } from '../../core/errors.ts';
import { parseUuid, type ThreadId } from '../../core/ids.ts';
import type { Caller } from '../../core/principal.ts';
import type { RepeatKey, StartRun } from '../../engine/index.ts';
import type { ErrorShape } from '../../http/error-handler.ts';
import type { ChatBody } from './wire.ts';

const BAD_CREDENTIALS: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['auth_missing', 'auth_invalid', 'auth_revoked']);

/** Failures as levia words them. A session that is not there is a matter of permission in this protocol: 401. */
export const leviaErrors: ErrorShape = {
  contentType: 'application/json; charset=utf-8',
  status: { thread_not_found: 401, validation_failed: 400, unicode_invalid: 400, model_unknown: 400 },
  body: ({ code, message }) => ({ status: 'error', message: BAD_CREDENTIALS.has(code) ? 'Invalid or missing API key' : message }),
};

/** The thread that a `session_id` names; null when it can name none. */
export function threadIdOf(body: ChatBody): ThreadId | null {
  return parseUuid<ThreadId>(body.session_id);
}

/** What a `chat` request asks of the engine. */
export function toStartRun(owner: Caller, body: ChatBody, target: { id: ThreadId; repeat: RepeatKey | null }): StartRun {
  return {
    owner,
    thread: { id: target.id },
    ask: { kind: 'append', messages: [{ role: 'user', parts: [{ type: 'text', text: body.intent }] }] },
    repeat: target.repeat,
  };
}
