import { sql } from 'kysely';
import type { Owner } from '../../../core/principal.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import type { Session } from './session.ts';

// Every transaction takes its locks in this order: names, threads by key, runs by id, limits, the version of keys. SQLite has one writer and
// needs none.

const name = prepared((db, param: Param<{ name: string }>) =>
  db.selectNoFrom(sql<string>`pg_advisory_xact_lock(hashtextextended(${param('name')}, 0))`.as('locked')),
);

const thread = prepared((db, param: Param<{ thread: string }>) =>
  db.selectFrom('threads').select('key').where('key', '=', param('thread')).forUpdate(),
);

/** Each is looked up by itself: a planner that takes them for many would read all threads. */
const namedThreads = prepared(
  (db, param: Param<{ applications: readonly string[]; users: readonly string[]; threads: readonly string[] }>) =>
    db
      .selectFrom('threads')
      .select('key')
      .where(
        sql<boolean>`key = any(array(select named.key
        from unnest(${param('applications')}::text[], ${param('users')}::text[], ${param('threads')}::text[]) as given (application, owner, thread)
        cross join lateral (select id from users where application_id = given.application and external_id = given.owner limit 1) as owner
        cross join lateral (select key from threads where id = given.thread and user_id = owner.id and deleted_at is null limit 1) as named))`,
      )
      .orderBy('key')
      .forUpdate(),
);

/** The keys are found first: joined with the runs, the planner may take all threads in turn. */
const threadsOf = prepared((db, param: Param<{ runs: readonly string[] }>) =>
  db
    .selectFrom('threads')
    .select('key')
    .where(sql<boolean>`key = any(array(select thread_key from runs where id = any(${param('runs')})))`)
    .orderBy('key')
    .forUpdate(),
);

const runs = prepared((db, param: Param<{ runs: readonly string[] }>) =>
  db
    .selectFrom('runs')
    .select('id')
    .where(sql<boolean>`id = any(${param('runs')})`)
    .orderBy('id')
    .forUpdate(),
);

/** Lets transactions that may create what these words of an owner name follow one another. */
export async function lockNames(session: Session, owner: Owner, words: readonly string[]): Promise<void> {
  if (session.dialect === 'sqlite') return;
  for (const word of words) name.post(session, { name: JSON.stringify([owner.applicationId, owner.userId, word]) });
}

/** Waits for every transaction that holds this very name, shared ones too, and holds it until this one ends. Rejects where others share it. */
export async function lockExactly(session: Session, exactly: string): Promise<void> {
  if (session.shared) throw new Error('In a transaction with others a name would be locked for all of them.');
  if (session.dialect === 'postgres') name.post(session, { name: exactly });
}

/** From here on this transaction sees the thread as the last one left it, and the next one waits. */
export async function lockThread(session: Session, threadKey: string): Promise<void> {
  if (session.dialect === 'postgres') thread.post(session, { thread: threadKey });
}

/** The same for several threads by what their owners call them; PostgreSQL only. */
export async function lockNamedThreads(session: Session, named: readonly (Owner & { readonly threadId: string })[]): Promise<void> {
  namedThreads.post(session, {
    applications: named.map(({ applicationId }) => applicationId),
    users: named.map(({ userId }) => userId),
    threads: named.map(({ threadId }) => threadId),
  });
}

/** The same for several runs and their threads. */
export async function lockRuns(session: Session, runIds: readonly string[]): Promise<void> {
  if (session.dialect === 'sqlite' || runIds.length === 0) return;
  threadsOf.post(session, { runs: runIds });
  runs.post(session, { runs: runIds });
}
