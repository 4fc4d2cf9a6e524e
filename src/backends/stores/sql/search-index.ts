import { type RawBuilder, sql } from 'kysely';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import type { ThreadsTable } from './schema.ts';
import { queueForSearch, removeQueued } from './search-queue.ts';
import { indexWords } from './search-words-of.ts';
import type { Session } from './session.ts';

/** Messages of a thread count from 1. */
const TITLE = 0;

/** A text that its user's searches find the thread by. */
interface Entry {
  readonly threadKey: string;
  readonly seq: number;
  readonly userId: string;
  /** Asked for where it is indexed at once. */
  readonly text: () => string;
}

/** PostgreSQL keeps a text's place and its words in one row. */
const addEntry = prepared((db, param: Param<{ thread: string; seq: number; words: string }>) =>
  db
    .insertInto('search_entries')
    .values({ thread_key: param('thread'), seq: param('seq'), words: wordVector(param('words')) })
    .onConflict((conflict) => conflict.doNothing()),
);

const removeWords = prepared((db, param: Param<{ thread: string; from: number; to: number }>) =>
  db
    .deleteFrom('search_index')
    .where('rowid', 'in', (eb) =>
      eb
        .selectFrom('search_entries')
        .select('id')
        .where('thread_key', '=', param('thread'))
        .where('seq', '>=', param('from'))
        .where('seq', '<=', param('to')),
    ),
);

const removePlaces = prepared((db, param: Param<{ thread: string; from: number; to: number }>) =>
  db
    .deleteFrom('search_entries')
    .where('thread_key', '=', param('thread'))
    .where('seq', '>=', param('from'))
    .where('seq', '<=', param('to')),
);

const countRemoval = prepared((db) => db.updateTable('search_state').set((eb) => ({ removals: eb('removals', '+', 1) })));

const removeBacklog = prepared((db, param: Param<{ thread: string }>) =>
  db.deleteFrom('search_backlog').where('thread_key', '=', param('thread')),
);

/** Words, with spaces between them, as PostgreSQL keeps them, without their places in the text. */
function wordVector(words: string): RawBuilder<string> {
  return sql<string>`array_to_tsvector(string_to_array(${words}, ' '))`;
}

/** Lets searches find a thread by a text, unless they do already by what has that place in the thread. */
export function addToSearch(session: Session, { threadKey, seq, userId, text }: Entry): void {
  const place = { thread: threadKey, seq };
  switch (session.dialect) {
    case 'sqlite':
      queueForSearch(session, place);
      return;
    case 'postgres': {
      const words = indexWords(userId, text());
      if (words !== '') addEntry.post(session, { ...place, words });
      return;
    }
  }
}

type Titled = Pick<ThreadsTable, 'key' | 'user_id' | 'title'>;

/** Lets searches find a thread by its first title. */
export function addTitleToSearch(session: Session, { key, user_id, title }: Titled): void {
  if (title !== null) addToSearch(session, { threadKey: key, seq: TITLE, userId: user_id, text: () => title });
}

/** Lets searches find a thread by its title, and no longer by the one it had. */
export async function changeTitleInSearch(session: Session, thread: Titled): Promise<void> {
  await removeRange(session, { thread: thread.key, from: TITLE, to: TITLE });
  addTitleToSearch(session, thread);
}

/** Lets no search find a thread any more. Where words have been stays to be cleared when this tells so in `search_state`. */
export async function removeFromSearch(session: Session, threadKey: string): Promise<void> {
  await removeRange(session, { thread: threadKey, from: TITLE, to: Number.MAX_SAFE_INTEGER });
  if (session.dialect === 'sqlite') await removeQueued(session, threadKey);
  await removeBacklog.run(session, { thread: threadKey });
}

async function removeRange(session: Session, range: { thread: string; from: number; to: number }): Promise<void> {
  if (session.dialect === 'sqlite') await removeWords.run(session, range);
  const removed = await removePlaces.run(session, range);
  if (session.dialect === 'sqlite' && removed > 0) await countRemoval.run(session, {});
}
