/** Takes back in memory what a transaction takes back in the file. */
export interface UndoList {
  /** How far the transaction has come, for `undo`. */
  readonly mark: number;
  push(step: () => void): void;
  /** Takes back what was done since that mark, the last step first. */
  undo(mark: number): void;
  /** The transaction is committed. */
  settle(): void;
}

export function createUndoList(): UndoList {
  const steps: (() => void)[] = [];
  return {
    get mark() {
      return steps.length;
    },
    push: (step) => {
      steps.push(step);
    },
    undo: (mark) => {
      while (steps.length > mark) steps.pop()?.();
    },
    settle: () => {
      steps.length = 0;
    },
  };
}
