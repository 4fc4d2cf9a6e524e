import type { RunId } from './ids.ts';
import type { RateState } from './limits.ts';

/** What can be expected to go wrong. Each code has its HTTP status in `http/error-status.ts`; a dialect words it for its clients. */
export type ErrorCode =
  | 'auth_missing'
  | 'auth_invalid'
  | 'auth_expired'
  | 'auth_conflict'
  | 'auth_other_user'
  | 'auth_revoked'
  | 'scope_denied'
  | 'host_unknown'
  | 'thread_not_found'
  | 'run_not_found'
  | 'message_not_found'
  | 'file_not_found'
  | 'prompt_not_found'
  | 'agent_not_found'
  | 'approval_not_found'
  | 'version_not_found'
  | 'template_read_only'
  | 'key_not_found'
  | 'application_not_found'
  | 'route_not_found'
  | 'method_not_allowed'
  | 'body_invalid'
  | 'body_not_object'
  | 'body_too_deep'
  | 'body_too_large'
  | 'content_type_unsupported'
  | 'file_type_unsupported'
  | 'file_too_large'
  | 'file_unreadable'
  | 'unicode_invalid'
  | 'validation_failed'
  | 'request_invalid'
  | 'model_unknown'
  | 'agent_unknown'
  | 'cursor_invalid'
  | 'idempotency_key_invalid'
  | 'idempotency_mismatch'
  | 'queue_full'
  | 'rate_limited'
  | 'run_limit'
  | 'too_many_connections'
  | 'too_many_readers'
  | 'too_many_uploads'
  | 'state_conflict'
  | 'run_cancelled'
  | 'run_failed'
  | 'run_timeout'
  | 'step_limit'
  | 'overloaded'
  | 'draining'
  | 'internal';

/** One field that a request got wrong, by its path from the body's root. */
export interface FieldProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly keyword: string;
}

interface ErrorDetails {
  readonly fields?: readonly FieldProblem[];
  readonly retryAfterSeconds?: number;
  /** The run that the failure is about. */
  readonly runId?: RunId;
  /** The allowance that is used up. */
  readonly rate?: RateState;
  readonly cause?: unknown;
}

/** A failure with a code that callers decide on. `message` is for people and says what to do; nobody branches on it. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly fields: readonly FieldProblem[];
  readonly retryAfterSeconds: number | undefined;
  readonly runId: RunId | undefined;
  readonly rate: RateState | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.code = code;
    this.fields = details.fields ?? [];
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.runId = details.runId;
    this.rate = details.rate;
  }
}

/** The store cannot do its work now, through no fault of the caller: a full disk, a lost connection. */
export function storeUnavailable(cause: unknown): AppError {
  return new AppError('overloaded', 'The server cannot use its storage right now; send this again in a few seconds', {
    retryAfterSeconds: 5,
    cause,
  });
}
