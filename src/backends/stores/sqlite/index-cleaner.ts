import type { DatabaseSync } from 'node:sqlite';

/** Pages of the index that one step writes: a few milliseconds. */
const PAGES_PER_STEP = 64;

/**
 * Clears the search index of words that only removed texts had: FTS5 hides their rows, and keeps the words until it writes anew what they
 * stand in. Each call writes some pages, between transactions; false when nothing is left to write.
 */
export function indexCleaner(database: DatabaseSync): () => boolean {
  /** Removals that the present round clears away; null between rounds. */
  let clearing: number | null = null;

  /** Whether FTS5 did anything: what it counts as changes when it does not is one at most. */
  const merge = (pages: number): boolean => {
    const before = numberOf(database, 'select total_changes() as value');
    database.exec(`insert into search_index (search_index, rank) values ('merge', ${pages})`);
    return numberOf(database, 'select total_changes() as value') - before > 1;
  };

  const step = (): boolean => {
    if (clearing !== null) return merge(PAGES_PER_STEP);
    clearing = numberOf(database, 'select removals as value from search_state');
    // A negative number begins to merge everything into one.
    return clearing > 0 && merge(-PAGES_PER_STEP);
  };

  return () => {
    try {
      if (step()) return true;
      // Something else may have been removed meanwhile: that is for another round.
      database.exec(`update search_state set removals = 0 where removals = ${clearing ?? 0}`);
      clearing = null;
      return false;
    } catch (error) {
      clearing = null;
      throw error;
    }
  };
}

function numberOf(database: DatabaseSync, query: string): number {
  return Number(database.prepare(query).get()?.value);
}
