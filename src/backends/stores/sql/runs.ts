import { type Kysely, type SqlBool, sql } from 'kysely';
import type { ApplicationId, MessageId, RunId } from '../../../core/ids.ts';
import type { Owner } from '../../../core/principal.ts';
import type { Run } from '../../../core/run.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import type { RunRow } from './rows.ts';
import { toRun } from './rows.ts';
import type { Database, RunsTable } from './schema.ts';
import type { Session } from './session.ts';

/** Runs with the names of their threads and owners, deleted threads' included. */
export function allRuns(db: Kysely<Database>) {
  return db
    .selectFrom('runs')
    .innerJoin('threads', 'threads.key', 'runs.thread_key')
    .innerJoin('users', 'users.id', 'runs.user_id')
    .selectAll('runs')
    .select(['users.application_id', 'users.external_id'])
    .select(['threads.id as thread_id', 'threads.number as thread_number', 'threads.event_count', 'threads.deleted_at']);
}

/** A thread by the columns of the index that holds unfinished runs only. */
export type Queue = Pick<RunRow, 'application_id' | 'user_id' | 'thread_key'>;

function unfinishedOfUser(db: Kysely<Database>, application: string, user: string) {
  return allRuns(db)
    .where('users.application_id', '=', application)
    .where('users.external_id', '=', user)
    .where('runs.counted_for', '=', application)
    .where('runs.ended_at', 'is', null)
    .where('threads.deleted_at', 'is', null)
    .orderBy('runs.created_at', 'desc')
    .orderBy('runs.id', 'desc');
}

const byOwner = prepared((db, param: Param<{ application: string; user: string; id: string }>) =>
  allRuns(db)
    .where('runs.id', '=', param('id'))
    .where('users.application_id', '=', param('application'))
    .where('users.external_id', '=', param('user')),
);

const byApplication = prepared((db, param: Param<{ application: string; id: string }>) =>
  allRuns(db)
    .where('runs.id', '=', param('id'))
    .where('threads.deleted_at', 'is', null)
    .where('users.application_id', '=', param('application')),
);

const newestOfUser = prepared((db, param: Param<{ application: string; user: string }>) =>
  unfinishedOfUser(db, param('application'), param('user')).limit(1),
);

const newestOfQuestion = prepared((db, param: Param<{ application: string; user: string; message: string }>) =>
  unfinishedOfUser(db, param('application'), param('user')).where('runs.message_id', '=', param('message')).limit(1),
);

const unfinishedOfThread = prepared((db, param: Param<Queue>) =>
  allRuns(db)
    .where('runs.counted_for', '=', param('application_id'))
    .where('runs.user_id', '=', param('user_id'))
    .where('runs.thread_key', '=', param('thread_key'))
    .where('runs.ended_at', 'is', null)
    .orderBy('runs.answer_seq'),
);

/** What an attempt has to know of its run to write to it. */
export type WritableRun = Queue & Pick<RunRow, 'id' | 'message_id' | 'answer_id' | 'answer_seq' | 'snapshot' | 'event_count'>;

/** The same, and whether another run is queued in its thread. */
export type OpenRun = WritableRun & { readonly has_next: SqlBool };

const writable = prepared((db, param: Param<{ id: string; attempt: number }>) =>
  db
    .selectFrom('runs')
    .innerJoin('threads', 'threads.key', 'runs.thread_key')
    .where('runs.id', '=', param('id'))
    .where('runs.attempt', '=', param('attempt'))
    .where('runs.status', '=', 'running')
    .select(['runs.id', 'runs.message_id', 'runs.answer_id', 'runs.answer_seq', 'runs.snapshot', 'threads.event_count'])
    .select([sql<string>`runs.counted_for`.as('application_id'), 'runs.user_id', 'runs.thread_key'])
    .select(({ exists, selectFrom }) =>
      exists(
        selectFrom('runs as next')
          .select('next.id')
          .whereRef('next.counted_for', '=', 'runs.counted_for')
          .whereRef('next.user_id', '=', 'runs.user_id')
          .whereRef('next.thread_key', '=', 'runs.thread_key')
          .where('next.ended_at', 'is', null)
          .where('next.status', '=', 'queued'),
      ).as('has_next'),
    ),
);

const add = prepared((db, param: Param<{ [Column in keyof RunsTable]: RunsTable[Column] }>) =>
  db.insertInto('runs').values({
    id: param('id'),
    thread_key: param('thread_key'),
    user_id: param('user_id'),
    message_id: param('message_id'),
    answer_id: param('answer_id'),
    answer_seq: param('answer_seq'),
    status: param('status'),
    attempt: param('attempt'),
    snapshot: param('snapshot'),
    usage: param('usage'),
    finish_reason: param('finish_reason'),
    failure: param('failure'),
    process_id: param('process_id'),
    lease_until: param('lease_until'),
    created_at: param('created_at'),
    ended_at: param('ended_at'),
    counted_for: param('counted_for'),
  }),
);

/** Writes one run. */
export function insertRun(session: Session, run: RunsTable): void {
  add.post(session, run);
}

/** The owner's run, also in a thread whose deletion has begun: what waits there must still be ended. */
export function findRunRow(session: Session, owner: Owner, runId: RunId): Promise<RunRow | undefined> {
  return byOwner.first(session, { application: owner.applicationId, user: owner.userId, id: runId });
}

/** The owner's run, unless its thread is deleted. */
export async function findRun(session: Session, owner: Owner, runId: RunId): Promise<Run | null> {
  const row = await findRunRow(session, owner, runId);
  return row === undefined || row.deleted_at !== null ? null : toRun(row);
}

/** A run of any user of the application. */
export async function findRunInApplication(session: Session, applicationId: ApplicationId, runId: RunId): Promise<Run | null> {
  const row = await byApplication.first(session, { application: applicationId, id: runId });
  return row === undefined ? null : toRun(row);
}

/** The owner's newest unfinished run. */
export async function activeRun(session: Session, owner: Owner): Promise<Run | null> {
  const row = await newestOfUser.first(session, { application: owner.applicationId, user: owner.userId });
  return row === undefined ? null : toRun(row);
}

/** The owner's newest unfinished run that answers this message. */
export async function liveRunOf(session: Session, owner: Owner, messageId: MessageId): Promise<Run | null> {
  const row = await newestOfQuestion.first(session, { application: owner.applicationId, user: owner.userId, message: messageId });
  return row === undefined ? null : toRun(row);
}

/** A thread's unfinished runs in the order of their answers. */
export function unfinishedRuns(session: Session, queue: Queue): Promise<readonly RunRow[]> {
  return unfinishedOfThread.all(session, queue);
}

/** The run if this attempt may still write to it. */
export function findWritableRun(session: Session, runId: RunId, attempt: number): Promise<OpenRun | undefined> {
  return writable.first(session, { id: runId, attempt });
}
