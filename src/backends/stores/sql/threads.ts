import type { Kysely } from 'kysely';
import type { ApplicationId, ThreadId } from '../../../core/ids.ts';
import type { NewThread } from '../../../core/ports/store.ts';
import type { Owner } from '../../../core/principal.ts';
import type { ThreadRef } from '../../../core/thread.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import type { ThreadRow } from './rows.ts';
import type { Database, ThreadsTable } from './schema.ts';
import { addTitleToSearch } from './search-index.ts';
import type { Dialect, Session } from './session.ts';
import type { UserRow } from './users.ts';

/** Threads that are not deleted, with the names of their owners. */
export function openThreads(db: Kysely<Database>) {
  return db
    .selectFrom('threads')
    .innerJoin('users', 'users.id', 'threads.user_id')
    .innerJoin('applications', 'applications.id', 'users.application_id')
    .where('threads.deleted_at', 'is', null)
    .selectAll('threads')
    .select(['users.application_id', 'users.external_id', 'users.number as user_number', 'applications.number as application_number']);
}

type Named<Name> = { application: string; user: string } & Name;

/** For a transaction that writes, the row as the last one left it, locked until the end; SQLite has one writer. */
function forWriting(threads: ReturnType<typeof openThreads>, dialect: Dialect) {
  return dialect === 'postgres' ? threads.forUpdate('threads') : threads;
}

function ofOwner(db: Kysely<Database>, param: Param<{ application: string; user: string }>) {
  return openThreads(db).where('users.application_id', '=', param('application')).where('users.external_id', '=', param('user'));
}

const byId = prepared((db, param: Param<Named<{ id: string }>>) => ofOwner(db, param).where('threads.id', '=', param('id')));

const byNumber = prepared((db, param: Param<Named<{ number: number }>>) =>
  ofOwner(db, param).where('threads.number', '=', param('number')),
);

const lockById = prepared((db, param: Param<Named<{ id: string }>>, dialect) =>
  forWriting(ofOwner(db, param).where('threads.id', '=', param('id')), dialect),
);

const lockByNumber = prepared((db, param: Param<Named<{ number: number }>>, dialect) =>
  forWriting(ofOwner(db, param).where('threads.number', '=', param('number')), dialect),
);

const inApplication = prepared((db, param: Param<{ application: string; id: string }>) =>
  db
    .selectFrom('threads')
    .innerJoin('users', 'users.id', 'threads.user_id')
    .where('threads.deleted_at', 'is', null)
    .where('threads.id', '=', param('id'))
    .where('users.application_id', '=', param('application'))
    .select('users.external_id')
    .limit(2),
);

const newest = prepared((db, param: Param<{ user: string }>) =>
  db
    .selectFrom('threads')
    .select('head_id')
    .where('user_id', '=', param('user'))
    .where('deleted_at', 'is', null)
    .where('head_id', 'is not', null)
    .orderBy('updated_at', 'desc')
    .orderBy('key', 'desc')
    .limit(1),
);

const add = prepared((db, param: Param<{ [Column in keyof ThreadsTable]: ThreadsTable[Column] }>) =>
  db.insertInto('threads').values({
    key: param('key'),
    id: param('id'),
    number: param('number'),
    user_id: param('user_id'),
    title: param('title'),
    model: param('model'),
    agent: param('agent'),
    tags: param('tags'),
    archived: param('archived'),
    metadata: param('metadata'),
    head_id: param('head_id'),
    next_seq: param('next_seq'),
    event_count: param('event_count'),
    carried_head: param('carried_head'),
    carried_turns: param('carried_turns'),
    created_at: param('created_at'),
    updated_at: param('updated_at'),
    deleted_at: param('deleted_at'),
  }),
);

/** The owner's thread of that name, unless it is deleted. */
export function findThreadRow(session: Session, owner: Owner, ref: ThreadRef): Promise<ThreadRow | undefined> {
  const user = { application: owner.applicationId, user: owner.userId };
  return 'id' in ref ? byId.first(session, { ...user, id: ref.id }) : byNumber.first(session, { ...user, number: ref.number });
}

/** The same for a transaction that is going to change it: others that want to change it wait. */
export function lockThreadRow(session: Session, owner: Owner, ref: ThreadRef): Promise<ThreadRow | undefined> {
  const user = { application: owner.applicationId, user: owner.userId };
  return 'id' in ref ? lockById.first(session, { ...user, id: ref.id }) : lockByNumber.first(session, { ...user, number: ref.number });
}

/** Users of the application who have a thread of that id, at most two. */
export async function ownersOfThread(session: Session, applicationId: ApplicationId, id: ThreadId): Promise<readonly Owner[]> {
  const rows = await inApplication.all(session, { application: applicationId, id });
  return rows.map((row) => ({ applicationId, userId: row.external_id }));
}

/** A new, empty thread, with what it carries over from the user's latest one; it is not written yet. */
export async function newThreadRow(
  session: Session,
  input: { owner: Owner; user: UserRow; thread: NewThread; now: number },
): Promise<ThreadRow> {
  const { owner, user, thread, now } = input;
  const carried = thread.carryTurns > 0 ? await newest.first(session, { user: user.id }) : undefined;
  return {
    key: thread.key,
    id: thread.id,
    number: thread.number,
    user_id: user.id,
    title: thread.title,
    model: thread.model,
    agent: thread.agent,
    tags: JSON.stringify(thread.tags),
    archived: 0,
    metadata: JSON.stringify(thread.metadata),
    head_id: null,
    next_seq: 1,
    event_count: 0,
    carried_head: carried?.head_id ?? null,
    carried_turns: thread.carryTurns,
    created_at: now,
    updated_at: now,
    deleted_at: null,
    application_id: owner.applicationId,
    external_id: owner.userId,
    user_number: user.number,
    application_number: user.application_number,
  };
}

/** Writes a new thread. */
export function insertThread(session: Session, row: ThreadRow): void {
  add.post(session, row);
  addTitleToSearch(session, row);
}
