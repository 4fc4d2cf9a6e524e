import type { Part } from '../../../core/message.ts';
import { textOf } from '../../../core/message.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import { addTitleToSearch, addToSearch } from './search-index.ts';
import type { Session } from './session.ts';

/** A deletion waits for the thread's row, so that nothing comes into the search behind it. */
const next = prepared((db, _param: Param<Record<never, never>>, dialect) => {
  const first = db
    .selectFrom('search_backlog')
    .innerJoin('threads', 'threads.key', 'search_backlog.thread_key')
    .where('threads.deleted_at', 'is', null)
    .select(['threads.key', 'threads.user_id', 'threads.title', 'search_backlog.after_seq'])
    .orderBy('search_backlog.thread_key')
    .limit(1);
  return dialect === 'postgres' ? first.forUpdate().skipLocked() : first;
});

const messages = prepared((db, param: Param<{ thread: string; after: number; limit: number }>) =>
  db
    .selectFrom('messages')
    .select(['seq', 'parts'])
    .where('thread_key', '=', param('thread'))
    .where('seq', '>', param('after'))
    .orderBy('seq')
    .limit(param('limit')),
);

const advance = prepared((db, param: Param<{ thread: string; after: number }>) =>
  db
    .updateTable('search_backlog')
    .set({ after_seq: param('after') })
    .where('thread_key', '=', param('thread')),
);

const finish = prepared((db, param: Param<{ thread: string }>) =>
  db.deleteFrom('search_backlog').where('thread_key', '=', param('thread')),
);

/** Brings up to about `limit` messages into the search that were stored before there was one; false when all are there. */
export async function fillSearch(session: Session, limit: number): Promise<boolean> {
  for (let left = limit; left > 0; ) {
    const thread = await next.first(session, {});
    if (thread === undefined) return false;
    const { key, user_id, title, after_seq } = thread;
    if (after_seq === 0) addTitleToSearch(session, { key, user_id, title });
    const found = await messages.all(session, { thread: key, after: after_seq, limit: left });
    for (const { seq, parts } of found) {
      addToSearch(session, { threadKey: key, seq, userId: user_id, text: () => textOf(JSON.parse(parts) as readonly Part[]) });
    }
    const last = found.at(-1);
    if (last === undefined || found.length < left) await finish.run(session, { thread: key });
    else await advance.run(session, { thread: key, after: last.seq });
    left -= Math.max(1, found.length);
  }
  return true;
}
