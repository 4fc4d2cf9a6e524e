import type { Connection } from './database.ts';
import { failed, type Outcome } from './protocol.ts';

/** Holds the answers to deletions back until the data file has been cleared of what they removed. */
export interface Deletions {
  /** Takes answers to calls whose rows are gone; gives them to `answer` when the last copy is gone too. */
  clear(outcomes: readonly Outcome[]): void;
  /** Clears one step's worth, if anything is to be cleared. */
  step(): void;
  /** Clears at once what is still to be cleared. */
  finish(): void;
}

/** Clears step by step, so that other calls get in between; deletions that come meanwhile share the next round. */
export function deletions(connection: Connection, answer: (outcomes: readonly Outcome[]) => void): Deletions {
  let current: readonly Outcome[] = [];
  let next: readonly Outcome[] = [];
  let indexIsClear = false;
  let page = 0;

  const endRound = (outcomes: readonly Outcome[]): void => {
    current = next;
    next = [];
    indexIsClear = false;
    page = 0;
    answer(outcomes);
  };

  const step = (): void => {
    if (current.length === 0) return;
    try {
      if (!indexIsClear) {
        indexIsClear = !connection.clearIndex();
        return;
      }
      const following = connection.scrub(page);
      if (following === null) endRound(current);
      else page = following;
    } catch (error) {
      endRound(current.map(({ id }) => failed(id, error)));
    }
  };

  const run = (): void => {
    if (current.length === 0) return;
    step();
    setImmediate(run);
  };

  return {
    clear: (outcomes) => {
      if (outcomes.length === 0) return;
      if (current.length > 0) {
        next = [...next, ...outcomes];
        return;
      }
      current = outcomes;
      setImmediate(run);
    },
    step,
    finish: () => {
      while (current.length > 0) step();
    },
  };
}
