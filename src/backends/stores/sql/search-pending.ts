import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import type { Session } from './session.ts';

/** SQLite's table of entries whose words are not in the index yet. Each connection has its own, in memory, which rolls back like any other. */
export const PENDING_TABLE = 'create temp table search_pending (id integer primary key, words text not null) strict';

const add = prepared((db, param: Param<{ id: number; words: string }>) =>
  db.insertInto('search_pending').values({ id: param('id'), words: param('words') }),
);

const first = prepared((db) => db.selectFrom('search_pending').select('id').limit(1));

const index = prepared((db) =>
  db
    .insertInto('search_index')
    .columns(['rowid', 'words'])
    .expression((eb) => eb.selectFrom('search_pending').select(['id', 'words']).orderBy('id')),
);

const empty = prepared((db) => db.deleteFrom('search_pending'));

/** Keeps the words of a new entry until `indexPending`. */
export async function addPending(session: Session, id: number, words: readonly string[]): Promise<void> {
  await add.run(session, { id, words: words.join(' ') });
}

/**
 * Brings words that wait into SQLite's index: before a commit, and before anything reads or changes the index. FTS5 writes whatever it has each
 * time a savepoint begins, so entry by entry it would cost twice as much.
 */
export async function indexPending(session: Session): Promise<void> {
  if ((await first.first(session, {})) === undefined) return;
  await index.run(session, {});
  await empty.run(session, {});
}
