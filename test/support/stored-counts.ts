import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { queryDatabase } from './test-database.ts';

/** What a stopped server's data holds, counted in the tables themselves so that nothing can hide from a listing. */
export interface StoredCounts {
  readonly threads: number;
  readonly questions: number;
  readonly answers: number;
  readonly runs: number;
  readonly unfinished: number;
}

const FROM: Readonly<Record<keyof StoredCounts, string>> = {
  threads: 'threads',
  questions: "messages where role = 'user'",
  answers: "messages where role = 'assistant'",
  runs: 'runs',
  unfinished: "runs where status not in ('completed', 'failed', 'cancelled')",
};

/** Counts in the data directory of a server that has been closed. */
export function countStored(dataDir: string): StoredCounts {
  const database = new DatabaseSync(join(dataDir, 'polylogue.db'), { readOnly: true });
  const count = (name: keyof StoredCounts) => Number(database.prepare(`select count(*) as n from ${FROM[name]}`).get()?.n);
  try {
    return {
      threads: count('threads'),
      questions: count('questions'),
      answers: count('answers'),
      runs: count('runs'),
      unfinished: count('unfinished'),
    };
  } finally {
    database.close();
  }
}

/** Counts in a PostgreSQL database. */
export async function countInDatabase(url: string): Promise<StoredCounts> {
  const count = async (name: keyof StoredCounts) =>
    Number((await queryDatabase(url, `select count(*) as n from polylogue.${FROM[name]}`))[0]?.n);
  return {
    threads: await count('threads'),
    questions: await count('questions'),
    answers: await count('answers'),
    runs: await count('runs'),
    unfinished: await count('unfinished'),
  };
}
