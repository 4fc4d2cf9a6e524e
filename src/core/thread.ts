import type { MessageId, ThreadId, ThreadKey } from './ids.ts';

export type JsonObject = { readonly [key: string]: unknown };

/** Tags that one thread may have. */
export const MAX_TAGS = 100;

/** One conversation of one user. */
export interface Thread {
  readonly key: ThreadKey;
  readonly id: ThreadId;
  /** Random positive integers below 2^53, for protocols whose ids are integers. */
  readonly number: number;
  readonly userNumber: number;
  readonly applicationNumber: number;
  readonly userId: string;
  readonly title: string | null;
  readonly model: string | null;
  readonly agent: string | null;
  readonly tags: readonly string[];
  readonly archived: boolean;
  readonly metadata: JsonObject;
  /** The last message of the branch that dialects show; the answer of a live run is named before it is stored. */
  readonly headId: MessageId | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** The two public names of a thread. */
export type ThreadRef = { readonly id: ThreadId } | { readonly number: number };

/** A fact about a thread that other devices of its user want to know. */
export type ThreadFact =
  | {
      readonly type: 'message.added';
      readonly message_id: MessageId;
      readonly seq: number;
      readonly role: string;
      readonly run_id: string | null;
    }
  | { readonly type: 'run.started'; readonly run_id: string; readonly message_id: MessageId; readonly answer_id: MessageId }
  | { readonly type: 'run.ended'; readonly run_id: string; readonly status: string }
  | { readonly type: 'thread.changed' }
  | { readonly type: 'thread.deleted' };

/** A thread fact with its place, dense from 1, in the thread's life. */
export type ThreadEvent = ThreadFact & { readonly number: number };
