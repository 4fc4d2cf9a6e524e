import { AppError } from '../core/errors.ts';
import type { RunId } from '../core/ids.ts';
import type { Message } from '../core/message.ts';
import type { Run } from '../core/run.ts';
import type { DialectDeps } from './dialect.ts';
import { type Exchange, whileAwaited } from './while-awaited.ts';

/** A completed run with what it answered. */
export interface RunAnswer {
  readonly run: Run;
  readonly message: Message;
}

/**
 * Waits for a run's answer, for requests that are answered with one JSON object, as long as somebody waits for it. Rejects, naming the run, with
 * `run_failed`, `run_cancelled`, or `run_timeout` while the run goes on; with `auth_revoked` when the request's credential counts no more.
 */
export async function awaitAnswer(
  { engine, settings }: Pick<DialectDeps, 'engine' | 'settings'>,
  started: Run,
  exchange: Exchange,
): Promise<RunAnswer> {
  const { id } = started;
  const timeoutMs = settings.answerTimeoutMs;
  return whileAwaited(exchange, async (signal) => {
    const { run, message } = await engine.runs.await(started, { timeoutMs, signal }).catch((cause: unknown) => {
      if (!(cause instanceof AppError) || cause.code !== 'run_timeout') throw cause;
      throw new AppError('run_timeout', `The answer is not ready yet. Run ${id} goes on; ask for it later.`, { cause, runId: id });
    });
    if (run.status === 'cancelled') throw runCancelled(id);
    if (run.status === 'failed') throw new AppError('run_failed', run.failure?.detail ?? 'The answer failed.', { runId: id });
    return { run, message };
  });
}

/** Says that the answer somebody waits for was cancelled. */
export function runCancelled(runId: RunId): AppError {
  return new AppError('run_cancelled', 'The answer was cancelled.', { runId });
}
