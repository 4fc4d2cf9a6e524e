import { ModelError, type ModelErrorCode } from '../../../core/ports/model-provider.ts';

/** A try that failed, and whether another one may be made. */
export interface Failure {
  readonly error: ModelError;
  readonly again: boolean;
  /** What the provider asks callers to wait, in milliseconds. */
  readonly retryAfterMs: number | null;
  /** The provider's error body when it refused the request itself (400 or 422), else empty. */
  readonly refusal: string;
}

/** Anthropic's own status for a server without capacity. */
const OVERLOADED = 529;
const RETRIED_STATUS: ReadonlySet<number> = new Set([408, 409, 429, 500, 502, 503, 504, OVERLOADED]);

/** The provider could not be reached, or hung up before it answered. */
export function unreachable(cause: unknown): ModelError {
  return new ModelError('upstream_unavailable', 'The model provider cannot be reached.', { retryable: true, cause });
}

/** The answer broke off. */
export function interrupted(cause: unknown): ModelError {
  return new ModelError('upstream_interrupted', 'The model provider broke off its answer.', { retryable: true, cause });
}

/** The provider sent something that is no answer. */
export function malformed(cause: unknown): ModelError {
  return new ModelError('upstream_malformed', "The model provider's answer cannot be understood.", { retryable: true, cause });
}

/** The answer is larger than the server takes. */
export function tooLong(): ModelError {
  return new ModelError('upstream_too_long', "The model provider's answer is longer than this server accepts.", { retryable: false });
}

/** The provider took longer than allowed. */
export function timedOut(): ModelError {
  return new ModelError('upstream_timeout', 'The model provider did not answer in time.', { retryable: true });
}

function codeOf(status: number): ModelErrorCode {
  if (status === 401 || status === 403) return 'upstream_unauthorized';
  if (status === 429) return 'upstream_rate_limited';
  if (status === 408 || status === 504) return 'upstream_timeout';
  if (status === 409 || status >= 500) return 'upstream_unavailable';
  return 'upstream_rejected';
}

function sentence(status: number): string {
  if (status >= 300 && status < 400) return 'The model provider answered with a redirect, which is not followed';
  const code = codeOf(status);
  if (code === 'upstream_unauthorized') return "The model provider refused this server's credentials";
  if (code === 'upstream_rate_limited') return 'The model provider is limiting requests';
  if (code === 'upstream_rejected') return 'The model provider rejected the request';
  return 'The model provider has a problem';
}

/**
 * The failure that a status stands for; `quoted` is the provider's message, already safe to show. What it says against the server's credentials
 * is not shown: it may name their owner or hold a part of them.
 */
export function statusError(status: number, quoted: string): ModelError {
  const code = codeOf(status);
  const retryable = code !== 'upstream_unauthorized' && code !== 'upstream_rejected';
  const words = sentence(status);
  return new ModelError(code, quoted === '' || code === 'upstream_unauthorized' ? `${words}.` : `${words}: ${quoted}`, { retryable });
}

/** Whether a status may be answered by trying again. */
export function isRetriedStatus(status: number): boolean {
  return RETRIED_STATUS.has(status);
}

/** Milliseconds that a Retry-After header asks for (RFC 9110 section 10.2.3); null when absent or unreadable. */
export function retryAfterMs(header: string | undefined, now: number): number | null {
  if (header === undefined) return null;
  if (/^\s*\d+(\.\d+)?\s*$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}
