import { type RawBuilder, sql } from 'kysely';
import type { SearchWord } from '../../../core/search-words.ts';
import { partitionOf } from './search-partition.ts';
import type { Dialect } from './session.ts';

/** That the title or one message of a thread has all of these words of this user's; nothing has none. */
export function hasWords(dialect: Dialect, userId: string, words: readonly SearchWord[]): RawBuilder<boolean> {
  if (words.length === 0) return sql<boolean>`1 = 0`;
  const partition = partitionOf(userId);
  // A word is letters, digits and emoji: in quotes it can mean nothing else in either language.
  switch (dialect) {
    case 'sqlite': {
      const match = words.map(({ text, prefix }) => `"${partition}${text}"${prefix ? ' *' : ''}`).join(' AND ');
      // Only in this order: the entries of what the index has found.
      return sql<boolean>`threads.key in (select search_entries.thread_key from search_index
        cross join search_entries on search_entries.id = search_index.rowid where search_index match ${match})`;
    }
    case 'postgres': {
      const query = words.map(({ text, prefix }) => `'${partition}${text}'${prefix ? ':*' : ''}`).join(' & ');
      // "is true" keeps it from becoming a join: as a subquery it is a table of hashes, made once, however many threads the planner expects.
      return sql<boolean>`(threads.key in (select thread_key from search_entries where words @@ ${query}::tsquery)) is true`;
    }
  }
}
