/** Counts the tokens a model would see. Loaded only when a conversation may not fit its model's window. */
export interface TokenCounter {
  /** Resolves when `count` may be called. */
  load(): Promise<void>;
  /**
   * Tokens of a text, in time linear in its length, whatever the text. Stops counting beyond `limit` and gives some number above it. Long
   * texts are counted a few milliseconds at a time, with everything else in between.
   */
  count(text: string, limit: number): Promise<number>;
}
