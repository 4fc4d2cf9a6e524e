import { AppError } from './errors.ts';
import type { Rate, RateState } from './limits.ts';

const SHOWN_NAME = 100;
const RETRY_SECONDS = 5;

/** The API key behind a request was revoked, or what proves its token ended, while the request was under way. */
export function credentialRevoked(): AppError {
  return new AppError('auth_revoked', 'The API key or token was revoked.');
}

/** No thread of the owner has that id. */
export function threadNotFound(): AppError {
  return new AppError('thread_not_found', 'There is no such thread');
}

/** The thread has no message of that id. */
export function messageNotFound(): AppError {
  return new AppError('message_not_found', 'There is no such message in this thread');
}

/** No run of the owner has that id. */
export function runNotFound(): AppError {
  return new AppError('run_not_found', 'There is no such run');
}

/** The application has no key of that id. */
export function keyNotFound(): AppError {
  return new AppError('key_not_found', 'There is no such API key');
}

/** The catalogue has no model of that name. */
export function modelUnknown(name: string): AppError {
  return new AppError('model_unknown', `There is no model named ${name.slice(0, SHOWN_NAME)}`);
}

/** No agent has that name. */
export function agentUnknown(name: string): AppError {
  return new AppError('agent_unknown', `There is no agent named ${name.slice(0, SHOWN_NAME)}`);
}

/** The key of a repeated request came with another request before. */
export function repeatMismatch(): AppError {
  return new AppError('idempotency_mismatch', 'This Idempotency-Key was used with another request');
}

/** The window of a rate is used up; `excess` says what is too much. */
export function rateExceeded(excess: string, rate: Rate, state: RateState): AppError {
  const seconds = Math.max(1, Math.ceil(state.resetMs / 1000));
  const allowed = `${rate.points} in ${rate.seconds} seconds are allowed`;
  return new AppError('rate_limited', `${excess}: ${allowed}. Send this again in ${seconds} seconds`, {
    retryAfterSeconds: seconds,
    rate: { ...state, remaining: 0 },
  });
}

/** As many connections are open as the named bound allows. */
export function connectionsExceeded({ name, limit }: { readonly name: string; readonly limit: number }): AppError {
  return new AppError('too_many_connections', `Too many connections: ${limit} may be open at once. Close one first`, {
    retryAfterSeconds: RETRY_SECONDS,
    rate: { name, limit, remaining: 0, resetMs: RETRY_SECONDS * 1000 },
  });
}
