import { AppError } from '../core/errors.ts';
import type { Message } from '../core/message.ts';
import type { Run } from '../core/run.ts';
import type { DialectDeps } from './dialect.ts';

/** A completed run with what it answered. */
export interface RunAnswer {
  readonly run: Run;
  readonly message: Message;
}

/**
 * Waits for a run's answer, for protocols that answer with one JSON object. Rejects, naming the run, with `run_failed`, `run_cancelled`, or
 * `run_timeout` while the run goes on.
 */
export async function awaitAnswer(
  { engine, settings }: Pick<DialectDeps, 'engine' | 'settings'>,
  { owner, id }: Run,
  signal: AbortSignal,
): Promise<RunAnswer> {
  const run = await engine.runs.await(owner, id, { timeoutMs: settings.answerTimeoutMs, signal }).catch((cause: unknown) => {
    if (!(cause instanceof AppError) || cause.code !== 'run_timeout') throw cause;
    throw new AppError('run_timeout', `The answer is not ready yet. Run ${id} goes on; ask for it later.`, { cause, runId: id });
  });
  if (run.status === 'cancelled') throw new AppError('run_cancelled', 'The answer was cancelled.', { runId: id });
  if (run.status === 'failed') throw new AppError('run_failed', run.failure?.detail ?? 'The answer failed.', { runId: id });
  return { run, message: await engine.threads.message(owner, run.answerId) };
}
