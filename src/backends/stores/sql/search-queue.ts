import { sql } from 'kysely';
import type { Part } from '../../../core/message.ts';
import { textOf } from '../../../core/message.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import { indexWords } from './search-words-of.ts';
import type { Session } from './session.ts';

/** The place of a text in a thread: a title's is 0, messages count from 1. */
export interface SearchPlace {
  readonly thread: string;
  readonly seq: number;
}

const add = prepared((db, param: Param<SearchPlace>) =>
  db.insertInto('search_queue').values({ thread_key: param('thread'), seq: param('seq') }),
);

const oldest = prepared((db, param: Param<{ limit: number }>) =>
  db
    .selectFrom('search_queue')
    .leftJoin('threads', 'threads.key', 'search_queue.thread_key')
    .leftJoin('messages', (join) =>
      join.onRef('messages.thread_key', '=', 'search_queue.thread_key').onRef('messages.seq', '=', 'search_queue.seq'),
    )
    .select(['search_queue.id', 'search_queue.thread_key', 'search_queue.seq', 'threads.user_id', 'threads.title', 'messages.parts'])
    .orderBy('search_queue.id')
    .limit(param('limit')),
);

const addEntries = prepared((db, param: Param<{ places: string }>) =>
  db
    .insertInto('search_entries')
    .columns(['thread_key', 'seq'])
    // Without a condition SQLite would take the conflict for one of a join.
    .expression(sql`select value ->> 0, value ->> 1 from json_each(${param('places')}) where true`)
    .onConflict((conflict) => conflict.doNothing())
    .returning(['id', 'thread_key', 'seq']),
);

/** All at a time: FTS5 writes whatever it has when a savepoint begins, which every statement is. */
const index = prepared((db, param: Param<{ entries: string }>) =>
  db
    .insertInto('search_index')
    .columns(['rowid', 'words'])
    .expression(sql`select value ->> 0, value ->> 1 from json_each(${param('entries')})`),
);

const leave = prepared((db, param: Param<{ last: number }>) => db.deleteFrom('search_queue').where('id', '<=', param('last')));

const remove = prepared((db, param: Param<{ thread: string }>) => db.deleteFrom('search_queue').where('thread_key', '=', param('thread')));

const length = prepared((db) =>
  db.selectNoFrom((eb) => [
    eb.selectFrom('search_queue').select('id').orderBy('id').limit(1).as('first'),
    eb.selectFrom('search_queue').select('id').orderBy('id', 'desc').limit(1).as('last'),
  ]),
);

/** Lets `indexQueued` bring a text into SQLite's index: in the transaction that stores it, that would cost as much as the text itself. */
export function queueForSearch(session: Session, place: SearchPlace): void {
  add.post(session, place);
}

/** Forgets what of a thread is not in the index yet. */
export async function removeQueued(session: Session, thread: string): Promise<void> {
  await remove.run(session, { thread });
}

/** How many texts wait, roughly; exactly 0 when none. */
export async function queuedTexts(session: Session): Promise<number> {
  const ends = await length.first(session, {});
  return ends?.first == null || ends.last === null ? 0 : ends.last - ends.first + 1;
}

/** Brings up to `limit` texts that wait into SQLite's index, as they are now; call inside a transaction. */
export async function indexQueued(session: Session, limit: number): Promise<void> {
  const texts = await oldest.all(session, { limit });
  const words = new Map<string, string>();
  const places: [thread: string, seq: number][] = [];
  for (const { thread_key: thread, seq, user_id, title, parts } of texts) {
    const text = seq === 0 ? (title ?? '') : textOf(JSON.parse(parts ?? '[]') as readonly Part[]);
    const found = user_id === null ? '' : indexWords(user_id, text);
    if (found === '') continue;
    words.set(`${seq} ${thread}`, found);
    places.push([thread, seq]);
  }
  const added = places.length === 0 ? [] : await addEntries.all(session, { places: JSON.stringify(places) });
  const entries = added.map(({ id, thread_key: thread, seq }) => [id, words.get(`${seq} ${thread}`)]);
  if (entries.length > 0) await index.run(session, { entries: JSON.stringify(entries) });
  const last = texts.at(-1);
  if (last !== undefined) await leave.run(session, { last: last.id });
}
