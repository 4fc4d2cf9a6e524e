import type { Connection } from './database.ts';
import type { GroupCommit } from './group-commit.ts';

const IDLE_MS = 1000;
/** Few batches bring so many texts that they are due, and to ask how many wait costs as much as to store one. */
const BATCHES_PER_LOOK = 8;

/** What the store does for itself between other people's calls. */
export interface Upkeep {
  /** To be awaited after every batch of calls, before the next. */
  afterBatch(): Promise<void>;
  /** Clears what ended runs have left, and no more comes. */
  finish(): void;
}

/**
 * Brings texts into the search index and clears what ended runs have left behind, a little after each batch and all of it when nothing has been
 * asked for a while; then checkpoints.
 */
export function startUpkeep(connection: Connection, commits: GroupCommit): Upkeep {
  let asked = true;
  let resting = false;
  let untilLook = 0;
  const timer = setTimeout(() => void lookAround(), IDLE_MS);

  async function lookAround(): Promise<void> {
    const idle = !asked;
    asked = false;
    if (!idle || !(await attempt(rest))) timer.refresh();
  }

  /** In steps, between which a call gets through. */
  async function rest(): Promise<void> {
    if (commits.clear('all') || (await commits.index('all'))) {
      setImmediate(() => void lookAround());
      return;
    }
    connection.checkpoint();
    resting = true;
  }

  return {
    afterBatch: async () => {
      await attempt(async () => {
        commits.clear('due');
        untilLook -= 1;
        if (untilLook <= 0 && !(await commits.index('due'))) untilLook = BATCHES_PER_LOOK;
      });
      asked = true;
      if (!resting) return;
      resting = false;
      timer.refresh();
    },
    finish: () => {
      clearTimeout(timer);
      void attempt(async () => {
        while (commits.clear('all'));
      });
    },
  };
}

/** A full disk, say, is no reason to stop: nothing is lost, it is tried again later, and the next write tells its caller of the same problem. */
async function attempt(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch {
    return false;
  }
}
