import { AppError } from '../../core/errors.ts';
import type { Message } from '../../core/message.ts';
import { type ModelEnd, ModelError } from '../../core/ports/model-provider.ts';
import type { Observer } from '../../core/ports/observer.ts';
import type { Run, RunFailure } from '../../core/run.ts';
import { partsOf } from './answer.ts';
import type { LiveRun, StopReason } from './live-run.ts';
import type { Ending } from './outcome.ts';

/** An ended run and its answer. */
export interface Answered {
  readonly run: Run;
  readonly message: Message;
}

/** A run whose process stopped before its end. */
export const INTERRUPTED: RunFailure = {
  code: 'interrupted',
  detail: 'The server stopped while this answer was being written',
  retryable: true,
};

/** The end of an answer that is all there. */
export function completed(live: LiveRun, end: ModelEnd): Ending {
  const { answerId, answerSeq, snapshot } = live.run;
  const message = { id: answerId, seq: answerSeq, role: 'assistant', status: 'completed', parts: partsOf(live) } as const;
  return {
    fact: { type: 'run.completed', message, usage: end.usage, model: snapshot.model, finish_reason: end.reason },
    status: 'completed',
    failure: null,
  };
}

/** A run and its answer as they stand in the store since it ended here. */
export function storedAnswer(live: LiveRun, { ending, at }: NonNullable<LiveRun['outcome']>): Answered {
  const { fact, status, failure } = ending;
  const { run } = live;
  const { id: runId, answerId: id, threadId, answerSeq: seq, messageId: parentId, snapshot } = run;
  const { usage, finish_reason: finishReason } = fact.type === 'run.completed' ? fact : { usage: null, finish_reason: null };
  return {
    run: { ...run, status, usage, finishReason, failure, endedAt: at },
    message: {
      ...{ id, threadId, seq, parentId, runId, usage },
      role: 'assistant',
      status,
      parts: fact.type === 'run.completed' ? fact.message.parts : partsOf(live),
      model: snapshot.model,
      createdAt: at,
    },
  };
}

/** The end of an answer that broke. */
export function failed(failure: RunFailure): Ending {
  return { fact: { type: 'run.failed', ...failure }, status: 'failed', failure };
}

/** The end of an answer that was told to stop. */
export function stopped(reason: StopReason): Ending {
  switch (reason) {
    case 'cancelled':
      return { fact: { type: 'run.cancelled' }, status: 'cancelled', failure: null };
    case 'timed_out':
      return failed({ code: 'run_timed_out', detail: 'The answer took too long', retryable: true });
    case 'answer_too_long':
      return failed({ code: 'answer_too_long', detail: 'The answer is longer than this server stores', retryable: false });
    case 'interrupted':
    case 'lost':
      return failed(INTERRUPTED);
  }
}

/** Why an execution failed, in words for its reader; what nobody expected is reported. */
export function failureOf(error: unknown, observer: Observer): RunFailure {
  if (error instanceof ModelError) return { code: error.code, detail: error.message, retryable: error.retryable };
  // What a graph's own code has thrown is for those who wrote it.
  if (error instanceof AppError && error.code === 'run_failed' && error.cause !== undefined) observer.faulted('agent', error.cause);
  if (error instanceof AppError) return { code: error.code, detail: error.message, retryable: error.code === 'overloaded' };
  observer.faulted('model', error);
  return { code: 'internal', detail: 'The answer failed for a reason that the server has logged', retryable: true };
}
