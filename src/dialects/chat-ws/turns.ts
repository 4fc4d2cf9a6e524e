/** Lets a few do something at the same time while others wait, in the order in which they came. */
export interface Turns {
  /** Does the task when it is its turn; gives null, without having begun it, when the signal aborts before. */
  take<Result>(signal: AbortSignal, task: () => Promise<Result>): Promise<Result | null>;
}

/** Turns for at most `limit` at a time. */
export function createTurns(limit: number): Turns {
  const waiting = new Set<() => void>();
  let busy = 0;

  /** Whether it has come; false when the signal aborted before. */
  function untilMyTurn(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    if (busy < limit) {
      busy += 1;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const begin = () => {
        signal.removeEventListener('abort', leave);
        resolve(true);
      };
      const leave = () => {
        waiting.delete(begin);
        resolve(false);
      };
      waiting.add(begin);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** Hands the place to whoever waits longest. */
  function pass(): void {
    const [next] = waiting;
    if (next === undefined) {
      busy -= 1;
      return;
    }
    waiting.delete(next);
    next();
  }

  return {
    async take(signal, task) {
      if (!(await untilMyTurn(signal))) return null;
      try {
        return signal.aborted ? null : await task();
      } finally {
        pass();
      }
    },
  };
}
