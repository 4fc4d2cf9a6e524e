import type { ThreadKey } from '../../../core/ids.ts';
import type { Owner } from '../../../core/principal.ts';
import type { Run } from '../../../core/run.ts';
import type { Thread, ThreadRef } from '../../../core/thread.ts';
import { removeAttachmentsOf } from './attachments.ts';
import type { Db } from './db.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import { toRun, toThread } from './rows.ts';
import { unfinishedRuns } from './runs.ts';
import { removeFromSearch } from './search-index.ts';
import type { Session } from './session.ts';
import { lockThreadRow } from './threads.ts';

const close = prepared((db, param: Param<{ thread: string; now: number }>) =>
  db
    .updateTable('threads')
    .set({ deleted_at: param('now') })
    .where('key', '=', param('thread')),
);

const closed = prepared((db) => db.selectFrom('threads').select('key').where('deleted_at', 'is not', null));

/** In this order: what belongs to runs is found by them. */
const removals = {
  run_logs: prepared((db, param: Param<{ thread: string }>) =>
    db
      .deleteFrom('run_logs')
      .where('run_id', 'in', (eb) => eb.selectFrom('runs').select('runs.id').where('runs.thread_key', '=', param('thread'))),
  ),
  approvals: prepared((db, param: Param<{ thread: string }>) =>
    db
      .deleteFrom('approvals')
      .where('run_id', 'in', (eb) => eb.selectFrom('runs').select('runs.id').where('runs.thread_key', '=', param('thread'))),
  ),
  checkpoints: prepared((db, param: Param<{ thread: string }>) =>
    db
      .deleteFrom('checkpoints')
      .where('run_id', 'in', (eb) => eb.selectFrom('runs').select('runs.id').where('runs.thread_key', '=', param('thread'))),
  ),
  runs: prepared((db, param: Param<{ thread: string }>) => db.deleteFrom('runs').where('thread_key', '=', param('thread'))),
  messages: prepared((db, param: Param<{ thread: string }>) => db.deleteFrom('messages').where('thread_key', '=', param('thread'))),
  thread_events: prepared((db, param: Param<{ thread: string }>) =>
    db.deleteFrom('thread_events').where('thread_key', '=', param('thread')),
  ),
  idempotency_keys: prepared((db, param: Param<{ thread: string }>) =>
    db.deleteFrom('idempotency_keys').where('thread_key', '=', param('thread')),
  ),
  threads: prepared((db, param: Param<{ thread: string }>) => db.deleteFrom('threads').where('key', '=', param('thread'))),
};

/** Hides a thread from everybody and gives its unfinished runs; null when the owner has no such thread. */
export async function closeThread(
  session: Session,
  input: { owner: Owner; ref: ThreadRef; now: number },
): Promise<{ thread: Thread; unfinished: readonly Run[] } | null> {
  const thread = await lockThreadRow(session, input.owner, input.ref);
  if (thread === undefined) return null;
  const unfinished = await unfinishedRuns(session, { ...thread, thread_key: thread.key });
  await close.run(session, { thread: thread.key, now: input.now });
  await removals.idempotency_keys.run(session, { thread: thread.key });
  return { thread: toThread(thread), unfinished: unfinished.map(toRun) };
}

/** Removes the rows of a closed thread, or of every closed one when no key is given. An open thread stays. */
export async function purgeThread(db: Db, key: ThreadKey | null): Promise<void> {
  for (const thread of await closed.all(db.session, {})) {
    if (key !== null && thread.key !== key) continue;
    await db.log.removeAll(thread.key);
    await removeAttachmentsOf(db.session, thread.key);
    await removeFromSearch(db.session, thread.key);
    for (const removal of Object.values(removals)) await removal.run(db.session, { thread: thread.key });
  }
}
