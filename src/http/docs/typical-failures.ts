import { AppError, type ErrorCode } from '../../core/errors.ts';
import type { RunId } from '../../core/ids.ts';
import type { RequestChange } from './operation.ts';
import { SAMPLE_RUN_ID } from './samples.ts';

const NOBODY = '00000000-0000-7000-8000-000000000000';

interface Typical {
  readonly message: string;
  /** The change of any good request that is answered so, where there is one. */
  readonly request?: RequestChange;
  readonly retryAfterSeconds?: number;
  readonly runId?: RunId;
}

const deep = `{"a":${'['.repeat(64)}${']'.repeat(64)}}`;

/** How each failure reads when nothing particular is to be said. The compiler asks for a line per code. */
const typical: Readonly<Record<ErrorCode, Typical>> = {
  auth_missing: {
    message: 'Send an API key or a token, as "Authorization: Bearer <key>" or "X-API-Key: <key>".',
    request: { headers: { authorization: null } },
  },
  auth_invalid: { message: 'The API key or token is not valid.', request: { headers: { authorization: 'Bearer plg_no_such_key' } } },
  auth_expired: { message: 'The token has expired; get a new one.' },
  auth_conflict: {
    message: 'The request carries two different credentials; send one.',
    request: { headers: { 'x-api-key': 'plg_another_key' } },
  },
  auth_other_user: { message: 'The token belongs to another user.' },
  auth_revoked: { message: 'The API key was revoked.' },
  scope_denied: { message: 'This credential may not do that.' },
  thread_not_found: { message: 'There is no such thread', request: { path: { thread_id: NOBODY, conversation_id: NOBODY } } },
  run_not_found: { message: 'There is no such run', request: { path: { run_id: NOBODY } } },
  message_not_found: { message: 'There is no such message in this thread' },
  key_not_found: { message: 'There is no such API key', request: { path: { key_id: NOBODY } } },
  application_not_found: { message: 'There is no such application.' },
  route_not_found: { message: 'There is nothing at this address.' },
  method_not_allowed: { message: 'This address answers GET.' },
  body_invalid: { message: 'The body is not valid JSON.', request: { text: '{' } },
  body_not_object: { message: 'The body must be a JSON object.', request: { text: '[]' } },
  body_too_deep: { message: 'The body nests deeper than 64 levels.', request: { text: deep } },
  body_too_large: { message: 'The body is larger than this server takes.' },
  content_type_unsupported: {
    message: 'Send the body as "Content-Type: application/json" in UTF-8.',
    request: { headers: { 'content-type': 'text/plain' }, text: '{}' },
  },
  unicode_invalid: {
    message: 'The body contains a NUL character or half of a surrogate pair.',
    request: { text: '{"text":"\\u0000"}' },
  },
  validation_failed: { message: 'The request is not valid.' },
  request_invalid: { message: 'The request contradicts itself.' },
  model_unknown: { message: 'There is no model of this name.' },
  agent_unknown: { message: 'There is no agent of this name.' },
  cursor_invalid: { message: 'The cursor must be the next_cursor of an earlier answer.' },
  idempotency_key_invalid: {
    message: 'Idempotency-Key must be 1 to 255 visible ASCII characters.',
    request: { headers: { 'idempotency-key': 'two words' } },
  },
  idempotency_mismatch: { message: 'This Idempotency-Key was used with another request' },
  queue_full: { message: 'Too many messages wait for an answer in this thread.', retryAfterSeconds: 5 },
  rate_limited: { message: 'The allowance is used up.', retryAfterSeconds: 20 },
  run_limit: { message: 'Too many answers are under way; wait for one of them.', retryAfterSeconds: 5 },
  too_many_connections: { message: 'Too many connections are open; close one.', retryAfterSeconds: 5 },
  too_many_readers: { message: 'Too many readers follow this.', retryAfterSeconds: 5 },
  state_conflict: { message: 'This does not fit the state that the record is in.' },
  not_configured: { message: 'This server has no secret to sign with.' },
  run_cancelled: { message: 'The answer was cancelled.', runId: SAMPLE_RUN_ID },
  run_failed: { message: 'The model provider failed.', runId: SAMPLE_RUN_ID },
  run_timeout: {
    message: `The answer is not ready yet. Run ${SAMPLE_RUN_ID} goes on; ask for it later.`,
    runId: SAMPLE_RUN_ID,
  },
  overloaded: { message: 'The server cannot use its storage right now; send this again in a few seconds', retryAfterSeconds: 5 },
  draining: { message: 'This server is about to stop; send the request again in a few seconds.', retryAfterSeconds: 5 },
  internal: { message: 'Something went wrong on this server.' },
};

/** A failure of that kind in its usual words, and the change of a good request that is answered so where one is known. */
export function typicalFailure(code: ErrorCode): { failure: AppError; request: RequestChange | null } {
  const { message, request = null, ...details } = typical[code];
  return { failure: new AppError(code, message, details), request };
}
