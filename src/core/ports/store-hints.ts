/** Between the processes that share a store. Only ever hints: one may get lost, and the store has the truth. */
export interface StoreHints {
  /** Tells the other processes that something of these runs or threads may be new. */
  publish(subjects: readonly string[]): void;
  /** Calls back with what other processes publish; the function it returns ends that. */
  subscribe(listener: (subject: string) => void): () => void;
}
