import type { SourcePassage } from '../attachment.ts';
import type { ThreadId } from '../ids.ts';
import type { Owner } from '../principal.ts';

export interface PassageQuery {
  readonly owner: Owner;
  readonly threadId: ThreadId;
  /** Words, in any language. */
  readonly query: string;
  readonly limit: number;
  readonly signal: AbortSignal;
}

/** Finds the passages of a thread's files that match best, best first; none where the owner has no such thread. */
export type PassageSearch = (query: PassageQuery) => Promise<readonly SourcePassage[]>;
