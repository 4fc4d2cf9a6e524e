import type { RunId } from '../../../core/ids.ts';
import type { Segment } from '../../../core/ports/store.ts';
import type { Session } from './session.ts';

/** A segment as it was stored: one JSON text an event, joined by line feeds. */
export interface StoredSegment {
  readonly first_offset: number;
  readonly events: string;
}

/** How a store lays out the logs of unfinished runs. All of it happens in the caller's transaction. */
export interface RunLog {
  /** Offset of the newest stored event of an unfinished run, 0 for none. */
  lastOffset(runId: string): Promise<number>;
  /**
   * Writes each segment unless its attempt may no longer write or offsets would be left out; gives the runs of those that do not stand
   * there now. Nothing more is written to such a run.
   */
  append(segments: readonly Segment[]): Promise<ReadonlySet<RunId>>;
  /** Writes the first segment of an attempt that this transaction has let run. */
  start(segment: Segment): Promise<void>;
  /** Writes the next segment of a run that waits, or begins to: from then on no attempt may append to it. */
  write(segment: Segment): Promise<void>;
  /** Everything of an unfinished run behind `after`, in order; the first segment may begin before it. */
  read(runId: string, after: number): AsyncIterable<StoredSegment>;
  /** Brings an unfinished run's log into few rows of `run_logs` for good, with its last segment behind it. */
  pack(last: Segment): Promise<void>;
  /** Removes what is left of a thread's runs, ended ones included. */
  removeAll(threadKey: string): Promise<void>;
}

/** What an operation of the store works on. */
export interface Db {
  readonly session: Session;
  readonly log: RunLog;
}
