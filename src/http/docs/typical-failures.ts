import { AppError, type ErrorCode, storeUnavailable } from '../../core/errors.ts';
import { ExtractionError } from '../../core/ports/extractor.ts';
import {
  agentNotFound,
  agentUnknown,
  approvalNotFound,
  connectionsExceeded,
  credentialRevoked,
  fileNotFound,
  fileTooLarge,
  fileTypeUnsupported,
  fileUnreadable,
  keyNotFound,
  messageNotFound,
  modelUnknown,
  promptNotFound,
  rateExceeded,
  repeatMismatch,
  runNotFound,
  stepLimitReached,
  templateReadOnly,
  threadNotFound,
  uploadsExceeded,
  versionNotFound,
} from '../../core/refusals.ts';
import { queueFull, runLimitReached } from '../../engine/index.ts';
import { credentialRefused } from '../authenticate.ts';
import { requireScope } from '../doorkeeper.ts';
import { hostUnknown } from '../host-policy.ts';
import { checkRepeatKey } from '../idempotency.ts';
import { readJsonBody } from '../json-body.ts';
import { readThreadCursor } from '../list-cursor.ts';
import { readersExceeded } from '../reader-bound.ts';
import { toAppError } from '../request-error.ts';
import { runCancelled } from '../run-answer.ts';
import type { Refused } from './operation.ts';
import { SAMPLE_RUN_ID } from './samples.ts';

/** The id of nothing. */
export const NOBODY = '00000000-0000-7000-8000-000000000000';
const JSON_HEADERS = { 'content-type': 'application/json' };
const WINDOW = { name: 'application-requests-per-minute', limit: 1, remaining: 0, resetMs: 20_000 };
const deep = `{"a":${'['.repeat(64)}${']'.repeat(64)}}`;

type Typical = Required<Pick<Refused, 'fail'>> & Partial<Refused>;

const withKey = { headers: { authorization: 'Bearer {key}' } };

function unreadable(text: string, headers: Readonly<Record<string, string>> = JSON_HEADERS): Typical {
  return { request: { text, ...(headers !== JSON_HEADERS && { headers }) }, fail: () => readJsonBody(headers, Buffer.from(text)) };
}

/** Each failure in the words in which it is thrown, and the change of a good request that is refused so. The compiler asks for a line per code. */
const typical: Readonly<Record<ErrorCode, Typical>> = {
  auth_missing: { request: { headers: { authorization: null } }, fail: () => credentialRefused('auth_missing') },
  auth_invalid: { request: { headers: { authorization: 'Bearer plg_no_such_key' } }, fail: () => credentialRefused('auth_invalid') },
  auth_expired: {
    given: 'expiredToken',
    request: { headers: { authorization: 'Bearer {token}' } },
    fail: () => credentialRefused('auth_expired'),
  },
  auth_conflict: { request: { headers: { 'x-api-key': 'plg_another_key' } }, fail: () => credentialRefused('auth_conflict') },
  auth_other_user: {
    given: 'otherToken',
    request: { headers: { authorization: 'Bearer {token}' } },
    fail: () => credentialRefused('auth_other_user'),
  },
  auth_revoked: { fail: credentialRevoked },
  host_unknown: { fail: hostUnknown },
  scope_denied: { given: 'keyWithoutWrite', request: withKey, fail: () => requireScope({ scopes: new Set() }, 'write') },
  thread_not_found: { request: { path: { thread_id: NOBODY, conversation_id: NOBODY } }, fail: threadNotFound },
  run_not_found: { request: { path: { run_id: NOBODY } }, fail: runNotFound },
  message_not_found: { fail: messageNotFound },
  file_not_found: { request: { path: { file_id: NOBODY } }, fail: fileNotFound },
  file_type_unsupported: { fail: () => fileTypeUnsupported(['pdf']) },
  file_too_large: { fail: fileTooLarge },
  file_unreadable: { fail: () => fileUnreadable(new ExtractionError('damaged')) },
  prompt_not_found: { request: { path: { prompt_id: NOBODY } }, fail: promptNotFound },
  version_not_found: { request: { path: { version: '4711' } }, fail: versionNotFound },
  template_read_only: { fail: templateReadOnly },
  key_not_found: { request: { path: { key_id: NOBODY } }, fail: keyNotFound },
  application_not_found: { fail: () => new AppError('application_not_found', 'There is no such application') },
  route_not_found: { fail: () => toAppError({ code: 'FST_ERR_BAD_URL' }) },
  method_not_allowed: { fail: () => new AppError('method_not_allowed', 'This address answers GET.') },
  body_invalid: unreadable('{'),
  body_not_object: unreadable('[]'),
  body_too_deep: unreadable(deep),
  body_too_large: { given: 'longBody', request: { text: '{body}' }, fail: () => toAppError({ code: 'FST_ERR_CTP_BODY_TOO_LARGE' }) },
  content_type_unsupported: unreadable('{}', { 'content-type': 'text/plain' }),
  unicode_invalid: unreadable('{"text":"\\u0000"}'),
  validation_failed: { fail: () => toAppError({ validation: [] }) },
  request_invalid: { fail: () => new AppError('request_invalid', 'The request contradicts itself.') },
  model_unknown: { given: 'namedModels', request: { fields: { model: 'nope' } }, fail: () => modelUnknown('nope') },
  agent_not_found: { request: { path: { agent_id: NOBODY } }, fail: agentNotFound },
  approval_not_found: { request: { path: { call_id: 'no-such-call' } }, fail: approvalNotFound },
  step_limit: { fail: () => stepLimitReached(25) },
  agent_unknown: { request: { fields: { agent: 'nope' } }, fail: () => agentUnknown('nope') },
  cursor_invalid: { request: { query: { cursor: 'abc' } }, fail: () => readThreadCursor('abc') },
  idempotency_key_invalid: {
    request: { headers: { 'idempotency-key': 'two words' } },
    fail: () => checkRepeatKey('two words'),
  },
  idempotency_mismatch: { given: 'usedRepeatKey', request: { headers: { 'idempotency-key': '{repeat_key}' } }, fail: repeatMismatch },
  queue_full: { fail: () => queueFull(20) },
  rate_limited: {
    given: 'spentKey',
    request: withKey,
    fail: () => rateExceeded('Too many requests of this application', { points: 1, seconds: 60 }, WINDOW),
  },
  run_limit: { given: 'busyKey', request: withKey, fail: () => runLimitReached({ user: null, application: 1 }, 'application') },
  too_many_connections: {
    given: 'connectedKey',
    request: withKey,
    fail: () => connectionsExceeded({ name: 'application-connections', limit: 1 }),
  },
  too_many_readers: {
    given: 'crowdedRun',
    request: { path: { run_id: '{run_id}', request_id: '{run_id}' } },
    fail: () => readersExceeded(1_000),
  },
  state_conflict: { fail: () => new AppError('state_conflict', 'This does not fit the state that the record is in.') },
  too_many_uploads: { fail: () => uploadsExceeded(4) },
  run_cancelled: { fail: () => runCancelled(SAMPLE_RUN_ID) },
  run_failed: { fail: () => new AppError('run_failed', 'The model provider failed.', { runId: SAMPLE_RUN_ID }) },
  run_timeout: {
    fail: () =>
      new AppError('run_timeout', `The answer is not ready yet. Run ${SAMPLE_RUN_ID} goes on; ask for it later.`, { runId: SAMPLE_RUN_ID }),
  },
  overloaded: { fail: () => storeUnavailable(null) },
  draining: {
    fail: () =>
      new AppError('draining', 'This server is about to stop; send the request again in a few seconds.', { retryAfterSeconds: 5 }),
  },
  internal: { fail: () => toAppError(null) },
};

/** How a request fails with that code unless its operation says otherwise; without `request` no change of it leads there. */
export function typicalRefusal(code: ErrorCode, method: string): Typical {
  if (code !== 'scope_denied' || !(method === 'GET' || method === 'HEAD')) return typical[code];
  return { given: 'keyWithoutRead', request: withKey, fail: () => requireScope({ scopes: new Set() }, 'read') };
}
