import type { RunId } from '../../../core/ids.ts';
import type { LogBatch, LogBatchResult, Segment } from '../../../core/ports/store.ts';
import type { Run } from '../../../core/run.ts';

/** Where the logs end to which this server writes. Only what it has written itself, and only while all of it succeeds, tells that for sure. */
export interface KnownEnds {
  /** Whether the segment continues its run's log, by the attempt that wrote what is before it. */
  isNext(segment: Segment): boolean;
  /** How many characters stand in the log before the segment, but for the log's first event; null when that is not known. */
  sizeBefore(segment: Segment): number | null;
  /** A run has begun, and its log with it. */
  begun(run: Pick<Run, 'id' | 'attempt'>): void;
  /** What became of a batch; null when that is not known. */
  note(batch: LogBatch, result: LogBatchResult | null): void;
}

interface KnownEnd extends Pick<Segment, 'attempt' | 'last'> {
  readonly size: number | null;
}

export function createKnownEnds(): KnownEnds {
  const ends = new Map<RunId, KnownEnd>();
  const endBefore = ({ runId, attempt, first }: Segment): KnownEnd | null => {
    const end = ends.get(runId);
    return end !== undefined && end.attempt === attempt && end.last + 1 === first ? end : null;
  };
  const sizeBefore = (segment: Segment): number | null => (segment.first <= 2 ? 0 : (endBefore(segment)?.size ?? null));
  return {
    isNext: (segment) => endBefore(segment) !== null,
    sizeBefore,
    begun: ({ id, attempt }) => void ends.set(id, { attempt, last: 1, size: 0 }),
    note: (batch, result) => {
      for (const segment of batch.segments) {
        const { runId, attempt, last, events } = segment;
        const before = sizeBefore(segment);
        if (result === null) ends.delete(runId);
        else ends.set(runId, { attempt, last, size: before === null ? null : before + events.length });
      }
      for (const { segment } of [...batch.waits, ...batch.ends]) ends.delete(segment.runId);
      for (const runId of result?.fenced ?? []) ends.delete(runId);
    },
  };
}
