import type { IncomingMessage } from 'node:http';
import type { ModelError } from '../../../core/ports/model-provider.ts';
import { readBounded } from './body-reading.ts';
import type { Connection } from './connection.ts';
import type { Deadline } from './deadline.ts';
import { type Failure, interrupted, isRetriedStatus, malformed, retryAfterMs, statusError, unreachable } from './failures.ts';
import { createQuote, messageIn } from './redact.ts';

/** Whether the provider answered with anything but a success. */
export function isRefused({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode < 200 || statusCode > 299;
}

/** Why a request got no answer at all. */
export function unanswered(cause: unknown): ModelError {
  return isParseError(cause) ? malformed(cause) : unreachable(cause);
}

/** Why an answer broke off. */
export function lost(cause: unknown): ModelError {
  return isParseError(cause) ? malformed(cause) : interrupted(cause);
}

/** llhttp's complaints about bytes that are no HTTP. */
function isParseError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('HPE_');
}

/** Reads what the provider says against the request. Rejects with the deadline's reason. */
export async function refusal({ endpoint, limits, now }: Connection, response: IncomingMessage, deadline: Deadline): Promise<Failure> {
  const status = response.statusCode ?? 0;
  const { text } = await readBounded(response, limits.errorCharacters, deadline);
  deadline.signal.throwIfAborted();
  return {
    error: statusError(status, createQuote(endpoint.secrets)(messageIn(text))),
    again: isRetriedStatus(status),
    retryAfterMs: retryAfterMs(response.headers['retry-after'], now()),
    refusal: status === 400 || status === 422 ? text : '',
  };
}
