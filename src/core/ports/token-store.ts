import type { MessageId } from '../ids.ts';
import type { Owner } from '../principal.ts';
import type { ThreadRef } from '../thread.ts';

/** A message whose tokens no provider has counted. */
interface UncountedMessage {
  readonly id: MessageId;
  readonly text: string;
}

/** Tokens of messages as this server counts them, which it does once. */
export interface TokenStore {
  /** Messages that are missing in the thread's figures; empty when the thread is unknown. */
  uncountedMessages(owner: Owner, ref: ThreadRef, limit: number): Promise<readonly UncountedMessage[]>;
  noteTokens(counts: readonly { readonly id: MessageId; readonly tokens: number }[]): Promise<void>;
}
