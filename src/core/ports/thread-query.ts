import type { ThreadKey } from '../ids.ts';
import type { JsonObject } from '../thread.ts';

export interface ThreadChanges {
  readonly title?: string | null;
  readonly model?: string | null;
  readonly agent?: string | null;
  readonly tags?: readonly string[];
  readonly archived?: boolean;
  readonly metadata?: JsonObject;
}

/** Which of a user's threads; what is left out does not matter. Bounds of time are exclusive. */
export interface ThreadFilter {
  readonly model?: string;
  /** With `model`: also threads without a model of their own. */
  readonly orNoModel?: boolean;
  readonly tag?: string;
  readonly archived?: boolean;
  readonly createdBefore?: number;
  readonly createdAfter?: number;
}

/** Newest update first; `cursor` is the last row of the page before, `offset` a number of rows to pass over. */
export interface ThreadQuery extends ThreadFilter {
  readonly limit: number;
  readonly cursor: { readonly updatedAt: number; readonly key: ThreadKey } | null;
  readonly offset?: number;
}

/** A thread in figures. */
export interface ThreadFigures {
  /** Stored messages of the branch that ends in the head. */
  readonly messages: number;
  /** When the newest of them was stored. */
  readonly lastMessageAt: number | null;
  /** Tokens in and out of all answers of the thread, as far as their providers counted. */
  readonly totalTokens: number;
}
