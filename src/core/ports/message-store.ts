import type { MessageId, ThreadKey } from '../ids.ts';
import type { Message } from '../message.ts';
import type { Owner } from '../principal.ts';
import type { ThreadRef } from '../thread.ts';

/** What a run's model may see. */
export interface RunContext {
  readonly messages: readonly Message[];
  readonly hasFiles: boolean;
}

export interface MessageStore {
  /**
   * The newest messages of the branch that ends in `branch` (`head`: the thread's head), newest first; older ones follow from the parent of
   * the last of them. Null: unknown thread or message.
   */
  listMessages(input: { owner: Owner; ref: ThreadRef; branch: MessageId | 'head'; limit: number }): Promise<readonly Message[] | null>;
  /**
   * What a run's model may see: the question and its stored ancestors, oldest first, at most `limit` of them and none beyond `maxChars`
   * characters of stored parts, the carried turns of an earlier thread before them; and whether the thread has files.
   */
  contextOf(input: { threadKey: ThreadKey; messageId: MessageId; limit: number; maxChars: number }): Promise<RunContext>;
  findMessage(input: { owner: Owner; messageId: MessageId }): Promise<Message | null>;
}
