import type { Connection } from './database.ts';
import type { FlatBatch } from './flat-batch.ts';
import type { GroupCommit } from './group-commit.ts';
import type { Call } from './protocol.ts';

const IDLE_MS = 1000;
/** Few batches bring so many texts that they are due, and to ask how many wait costs as much as to store one. */
const BATCHES_PER_LOOK = 8;
/** A checkpoint takes as long as there is to bring over: what gathers in so much time is done in less than a window of flushes. */
const CHECKPOINT_MS = 1000;
/** Behind a flush of so many runs it is longest until the next one. */
const LONG_FLUSH = 32;

/** What the store does for itself between other people's calls. */
export interface Upkeep {
  /** To be awaited after every batch of calls, before the next. */
  afterBatch(calls: readonly Call[]): Promise<void>;
  /** Clears what ended runs have left, and no more comes. */
  finish(): void;
}

/**
 * Brings texts into the search index and clears what ended runs have left behind, a little after each batch and all of it when nothing has been
 * asked for a while; then checkpoints. Where there is always something to do, it checkpoints once a second, when a batch has been answered: a log
 * that has grown too long is brought over inside a commit, for which many wait.
 */
export function startUpkeep(connection: Pick<Connection, 'checkpoint'>, commits: Pick<GroupCommit, 'clear' | 'index'>): Upkeep {
  let asked = true;
  let resting = false;
  let untilLook = 0;
  let checkpointed = performance.now();
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

  function checkpointWhenDue(calls: readonly Call[]): void {
    const age = performance.now() - checkpointed;
    if (age < CHECKPOINT_MS || (age < 2 * CHECKPOINT_MS && !calls.some(isLongFlush))) return;
    checkpointed = performance.now();
    connection.checkpoint();
  }

  return {
    afterBatch: async (calls) => {
      await attempt(async () => {
        if (resting) checkpointed = performance.now();
        checkpointWhenDue(calls);
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

function isLongFlush({ operation, input }: Call): boolean {
  return operation === 'appendLog' && (input[0] as FlatBatch).runIds.length >= LONG_FLUSH;
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
