import type { Compilable, Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../schema.ts';

/** Every run and every thread wrote a page for each index, most of them at the run's end once more: now one index answers what two or three did. */
export function fewerIndexes(db: Kysely<Database>): readonly Compilable[] {
  return [
    ...['runs_by_thread', 'runs_unfinished', 'runs_unfinished_by_application', 'threads_by_user_and_id', 'threads_by_id'].map((name) =>
      db.schema.dropIndex(name),
    ),
    db.schema.createIndex('runs_by_thread').on('runs').column('thread_key'),
    // Behind its application each unfinished run of a user, behind its user each of a thread.
    db.schema
      .createIndex('runs_unfinished')
      .on('runs')
      .columns(['counted_for', 'user_id', 'thread_key'])
      .where(sql.ref('ended_at'), 'is', null),
    db.schema.createIndex('threads_by_id').unique().on('threads').columns(['id', 'user_id']).where(sql.ref('deleted_at'), 'is', null),
  ];
}
