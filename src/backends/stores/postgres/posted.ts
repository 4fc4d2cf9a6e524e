/** Statements that were sent without waiting. */
export interface Posted {
  add(query: Promise<unknown>): void;
  /** Resolves when all of them are done; rejects with the first failure. */
  settle(): Promise<void>;
}

export function createPosted(): Posted {
  let outcomes: Promise<{ readonly error: unknown } | null>[] = [];
  return {
    add: (query) => {
      outcomes.push(
        query.then(
          () => null,
          (error: unknown) => ({ error }),
        ),
      );
    },
    settle: async () => {
      const settled = await Promise.all(outcomes);
      outcomes = [];
      for (const outcome of settled) if (outcome !== null) throw outcome.error;
    },
  };
}
