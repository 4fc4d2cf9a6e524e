import type { ThreadKey } from '../ids.ts';
import type { SearchWord } from '../search-words.ts';
import type { JsonObject } from '../thread.ts';

export interface ThreadChanges {
  readonly title?: string | null;
  readonly model?: string | null;
  readonly agent?: string | null;
  readonly tags?: readonly string[];
  readonly archived?: boolean;
  readonly metadata?: JsonObject;
}

/** Tags to add and to take away; `most`: how many a thread may have afterwards, unless it had more. */
export interface TagChanges {
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
  readonly most: number;
}

/** Which of a user's threads; what is left out does not matter. Bounds of time are exclusive. */
export interface ThreadFilter {
  readonly model?: string;
  /** With `model`: also threads without a model of their own. */
  readonly orNoModel?: boolean;
  /** It has every one of them. */
  readonly tags?: readonly string[];
  /** Its title, or one of its messages on whatever branch, has all of them; an empty list is in none. */
  readonly words?: readonly SearchWord[];
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
  /**
   * Tokens in and out of all answers of the thread whose providers counted; of messages that are in no such count, those of their text. The
   * question of an unfinished run waits for its answer.
   */
  readonly totalTokens: number;
}

/** The same while nobody has counted the tokens of some messages, which are not in it. */
export interface StoredFigures extends ThreadFigures {
  readonly uncounted: number;
}
