/** Counts the tokens a model would see. Loaded only when a conversation may not fit its model's window. */
export interface TokenCounter {
  /** Resolves when `count` may be called. */
  load(): Promise<void>;
  /** Tokens of a text, in time linear in its length, whatever the text. */
  count(text: string): number;
}
