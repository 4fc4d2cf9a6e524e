import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** What a stopped server's data holds, counted in the tables themselves so that nothing can hide from a listing. */
export interface StoredCounts {
  readonly threads: number;
  readonly questions: number;
  readonly answers: number;
  readonly runs: number;
  readonly unfinished: number;
}

/** Counts in the data directory of a server that has been closed. */
export function countStored(dataDir: string): StoredCounts {
  const database = new DatabaseSync(join(dataDir, 'polylogue.db'), { readOnly: true });
  const count = (from: string) => Number(database.prepare(`select count(*) as n from ${from}`).get()?.n);
  try {
    return {
      threads: count('threads'),
      questions: count("messages where role = 'user'"),
      answers: count("messages where role = 'assistant'"),
      runs: count('runs'),
      unfinished: count("runs where status not in ('completed', 'failed', 'cancelled')"),
    };
  } finally {
    database.close();
  }
}
