import type { Connection } from './database.ts';
import type { GroupCommit } from './group-commit.ts';

const IDLE_MS = 1000;

/** What the store does for itself between other people's calls. */
export interface Upkeep {
  /** To be called after every batch of calls. */
  afterBatch(): void;
  /** Clears all of it, and no more comes. */
  finish(): void;
}

/** Clears what ended runs have left behind, a little after each batch and all of it when nothing has been asked for a while; then checkpoints. */
export function startUpkeep(connection: Connection, commits: GroupCommit): Upkeep {
  let asked = true;
  let resting = false;
  const timer = setTimeout(lookAround, IDLE_MS);

  function lookAround(): void {
    const idle = !asked;
    asked = false;
    if (!idle || !attempt(rest)) timer.refresh();
  }

  /** In steps, between which a call gets through. */
  function rest(): void {
    if (commits.clear('all')) {
      setImmediate(lookAround);
      return;
    }
    connection.checkpoint();
    resting = true;
  }

  return {
    afterBatch: () => {
      attempt(() => commits.clear('due'));
      asked = true;
      if (!resting) return;
      resting = false;
      timer.refresh();
    },
    finish: () => {
      clearTimeout(timer);
      attempt(() => {
        while (commits.clear('all'));
      });
    },
  };
}

/** A full disk, say, is no reason to stop: nothing is lost, it is tried again later, and the next write tells its caller of the same problem. */
function attempt(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}
