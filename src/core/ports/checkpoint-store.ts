import type { RunId } from '../ids.ts';

/** A runtime's record under a name; whatever bytes it wants. */
export interface Checkpoint {
  readonly name: string;
  readonly data: Uint8Array;
}

/** What the runtimes of a run keep between attempts; goes with the run's end, and with its thread. */
export interface CheckpointStore {
  /** Stores all of them in one transaction, over those of the same names. False, with nothing stored, once another attempt has the run or it has ended. */
  putCheckpoints(run: { readonly id: RunId; readonly attempt: number }, checkpoints: readonly Checkpoint[]): Promise<boolean>;
  /** Those whose names begin so, by name. */
  listCheckpoints(runId: RunId, prefix: string): Promise<readonly Checkpoint[]>;
}
