import type { LogBatch, LogBatchResult } from '../../src/core/ports/store.ts';
import { parseLines, type RunEvent } from '../../src/core/run-event.ts';
import { settle } from './fake-clock.ts';
import { runningRun } from './runs.ts';

/** A log whose commits a test lets through or breaks, one by one. */
export function createHeldLog() {
  const waiting: { batch: LogBatch; resolve: (result: LogBatchResult) => void; reject: (error: Error) => void }[] = [];
  return {
    waiting,
    appendLog: (batch: LogBatch) => new Promise<LogBatchResult>((resolve, reject) => waiting.push({ batch, resolve, reject })),
    async commit(result: LogBatchResult = { fenced: [], started: [] }): Promise<LogBatch> {
      const next = waiting.shift();
      if (!next) throw new Error('no flush is in flight');
      next.resolve(result);
      await settle();
      return next.batch;
    },
    async fail(): Promise<LogBatch> {
      const next = waiting.shift();
      if (!next) throw new Error('no flush is in flight');
      next.reject(new Error('disk full'));
      await settle();
      return next.batch;
    },
  };
}

/** What a batch appends to its runs. */
export function eventsOf({ segments }: LogBatch): RunEvent[] {
  const { answerId } = runningRun('a');
  return segments.flatMap(({ runId, first, events }) => parseLines(events.split('\n'), { runId, answerId, first }));
}

/** The same in short, a text for each segment. */
export function textsOf(batch: LogBatch): string[] {
  return batch.segments.map((segment) =>
    eventsOf({ ...batch, segments: [segment] })
      .map((event) => ('text' in event ? event.text : event.type))
      .join('|'),
  );
}
