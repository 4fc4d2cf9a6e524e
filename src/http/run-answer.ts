import type { FastifyRequest } from 'fastify';
import { AppError } from '../core/errors.ts';
import type { RunId } from '../core/ids.ts';
import type { Message } from '../core/message.ts';
import { credentialRevoked } from '../core/refusals.ts';
import type { Run } from '../core/run.ts';
import type { DialectDeps } from './dialect.ts';
import { onRevoked } from './revocation.ts';
import { visitOf } from './visit.ts';

/** A completed run with what it answered. */
export interface RunAnswer {
  readonly run: Run;
  readonly message: Message;
}

/**
 * Waits for a run's answer, for requests that are answered with one JSON object. Rejects, naming the run, with `run_failed`, `run_cancelled`,
 * or `run_timeout` while the run goes on; with `auth_revoked` when the request's credential counts no more.
 */
export async function awaitAnswer(
  { engine, settings }: Pick<DialectDeps, 'engine' | 'settings'>,
  started: Run,
  request: FastifyRequest,
): Promise<RunAnswer> {
  const { id } = started;
  const revoked = visitOf(request).principal?.revoked;
  const gone = new AbortController();
  const forget = onRevoked(revoked, () => gone.abort());
  const signal = AbortSignal.any([request.signal, gone.signal]);
  try {
    const { run, message } = await engine.runs.await(started, { timeoutMs: settings.answerTimeoutMs, signal });
    if (run.status === 'cancelled') throw runCancelled(id);
    if (run.status === 'failed') throw new AppError('run_failed', run.failure?.detail ?? 'The answer failed.', { runId: id });
    if (revoked?.aborted) throw credentialRevoked();
    return { run, message };
  } catch (cause) {
    if (revoked?.aborted) throw credentialRevoked();
    if (!(cause instanceof AppError) || cause.code !== 'run_timeout') throw cause;
    throw new AppError('run_timeout', `The answer is not ready yet. Run ${id} goes on; ask for it later.`, { cause, runId: id });
  } finally {
    forget();
  }
}

/** Says that the answer somebody waits for was cancelled. */
export function runCancelled(runId: RunId): AppError {
  return new AppError('run_cancelled', 'The answer was cancelled.', { runId });
}
