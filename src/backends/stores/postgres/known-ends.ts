import type { RunId } from '../../../core/ids.ts';
import type { LogBatch, LogBatchResult, Segment } from '../../../core/ports/store.ts';

/** Where the logs end to which this server writes. Only its own appends, and only while they all succeed, tell that for sure. */
export interface KnownEnds {
  /** Whether the segment continues its run's log, by the attempt that wrote what is before it. */
  isNext(segment: Segment): boolean;
  /** What became of a batch; null when that is not known. */
  note(batch: LogBatch, result: LogBatchResult | null): void;
}

export function createKnownEnds(): KnownEnds {
  const ends = new Map<RunId, Pick<Segment, 'attempt' | 'last'>>();
  return {
    isNext: ({ runId, attempt, first }) => {
      const end = ends.get(runId);
      return end !== undefined && end.attempt === attempt && end.last + 1 === first;
    },
    note: (batch, result) => {
      for (const { runId, attempt, last } of batch.segments) {
        if (result === null) ends.delete(runId);
        else ends.set(runId, { attempt, last });
      }
      for (const { segment } of [...batch.waits, ...batch.ends]) ends.delete(segment.runId);
      for (const runId of result?.fenced ?? []) ends.delete(runId);
    },
  };
}
