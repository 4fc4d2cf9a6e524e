import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AppError, ErrorCode } from '../core/errors.ts';
import { errorStatus } from './error-status.ts';
import { noteRefusal, secondsLeft } from './rate-headers.ts';
import { toAppError } from './request-error.ts';

/** What of a request a failure's words may depend on. */
export type FailedRequest = Pick<FastifyRequest, 'id' | 'params' | 'query' | 'body'>;

/** How a dialect words failures. */
export interface ErrorShape {
  readonly contentType: string;
  /** Where the dialect's status differs from `errorStatus`. */
  readonly status?: Partial<Record<ErrorCode, number>>;
  /** The scheme that `WWW-Authenticate` names with a 401; `Bearer` unless given. */
  readonly challenge?: string;
  body(failure: AppError, status: number, request: FailedRequest): object;
}

/** The error handler of a dialect's scope: one place for status, `Retry-After`, rate headers and `WWW-Authenticate`; logs what was not expected. */
export function createErrorHandler(shape: ErrorShape): (error: unknown, request: FastifyRequest, reply: FastifyReply) => void {
  return (error, request, reply) => {
    const failure = toAppError(error);
    // What is turned away because the server is busy has no cause, and a line for each would keep the server busier.
    const ours = failure.code === 'internal' || (failure.code === 'overloaded' && failure.cause !== undefined && failure.cause !== null);
    if (ours && !reply.raw.destroyed) request.log.error({ request_id: request.id, err: failure.cause ?? failure }, 'request failed');
    const status = shape.status?.[failure.code] ?? errorStatus[failure.code];
    if (status === 401) reply.header('www-authenticate', shape.challenge ?? 'Bearer');
    noteRefusal(request, failure);
    const retryAfter = retrySecondsOf(failure) ?? defaultRetrySeconds(status);
    if (retryAfter !== null) reply.header('retry-after', String(retryAfter));
    reply
      .code(status)
      .header('content-type', shape.contentType)
      .send(shape.body(failure, status, request));
  };
}

function retrySecondsOf({ retryAfterSeconds, rate }: AppError): number | null {
  if (!rate) return retryAfterSeconds ?? null;
  return Math.max(1, Math.ceil(retryAfterSeconds ?? 0), secondsLeft(rate));
}

function defaultRetrySeconds(status: number): number | null {
  if (status === 429) return 1;
  return status === 503 ? 5 : null;
}
