import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Attachment, AttachmentRef } from '../../../core/attachment.ts';
import type { AttachmentId, ContentId, ThreadId, ThreadKey } from '../../../core/ids.ts';
import type { AddAttachment, AddAttachmentResult } from '../../../core/ports/attachment-store.ts';
import type { DocumentType } from '../../../core/ports/extractor.ts';
import type { Owner } from '../../../core/principal.ts';
import type { ThreadRef } from '../../../core/thread.ts';
import { claimContent, dropUnused } from './contents.ts';
import { findRepeat, forgetResult, keepResult } from './idempotency.ts';
import { lockNames } from './locks.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import type { ThreadRow } from './rows.ts';
import type { Database } from './schema.ts';
import type { Session } from './session.ts';
import { recordFacts } from './thread-events.ts';
import { findThreadRow, lockThreadRow } from './threads.ts';

/** Files of threads that are not deleted, newest first. */
function allFiles(db: Kysely<Database>) {
  return db
    .selectFrom('attachments')
    .innerJoin('contents', 'contents.id', 'attachments.content_id')
    .innerJoin('threads', 'threads.key', 'attachments.thread_key')
    .where('threads.deleted_at', 'is', null)
    .select(['attachments.id', 'attachments.number', 'attachments.name', 'attachments.content_id', 'attachments.created_at'])
    .select(['contents.digest', 'contents.size', 'contents.type', 'contents.page_count', 'contents.characters', 'contents.truncated'])
    .select(['threads.id as thread_id', 'threads.number as thread_number', 'threads.key as thread_key'])
    .orderBy('attachments.created_at', 'desc')
    .orderBy('attachments.id', 'desc');
}

type FileRow = Awaited<ReturnType<ReturnType<typeof allFiles>['executeTakeFirstOrThrow']>>;

interface Named {
  readonly application: string;
  readonly user: string;
}

function ofOwner(db: Kysely<Database>, param: Param<Named>) {
  return allFiles(db)
    .innerJoin('users', 'users.id', 'threads.user_id')
    .where('users.application_id', '=', param('application'))
    .where('users.external_id', '=', param('user'));
}

const byId = prepared((db, param: Param<Named & { id: string }>) => ofOwner(db, param).where('attachments.id', '=', param('id')));

const byNumber = prepared((db, param: Param<Named & { number: number }>) =>
  ofOwner(db, param).where('attachments.number', '=', param('number')),
);

const ofThread = prepared((db, param: Param<{ thread: string }>) => allFiles(db).where('attachments.thread_key', '=', param('thread')));

interface Place {
  readonly thread: string;
  readonly limit: number;
}

const newest = prepared((db, param: Param<Place>) =>
  allFiles(db).where('attachments.thread_key', '=', param('thread')).limit(param('limit')),
);

const behind = prepared((db, param: Param<Place & { after: string }>) =>
  allFiles(db)
    .where('attachments.thread_key', '=', param('thread'))
    .where(
      sql<boolean>`(attachments.created_at, attachments.id) < (select last.created_at, last.id from attachments as last
        where last.id = ${param('after')} and last.thread_key = threads.key)`,
    )
    .limit(param('limit')),
);

const countOf = prepared((db, param: Param<{ thread: string }>) =>
  db
    .selectFrom('attachments')
    .select((eb) => eb.fn.countAll<number>().as('files'))
    .where('thread_key', '=', param('thread')),
);

const add = prepared((db, param: Param<{ id: string; number: number; thread: string; content: string; name: string; now: number }>) =>
  db.insertInto('attachments').values({
    id: param('id'),
    number: param('number'),
    thread_key: param('thread'),
    content_id: param('content'),
    name: param('name'),
    created_at: param('now'),
  }),
);

const touch = prepared((db, param: Param<{ thread: string; now: number }>) =>
  db
    .updateTable('threads')
    .set({ updated_at: param('now') })
    .where('key', '=', param('thread')),
);

const removeOne = prepared((db, param: Param<{ id: string }>) => db.deleteFrom('attachments').where('id', '=', param('id')));

const removeAll = prepared((db, param: Param<{ thread: string }>) =>
  db.deleteFrom('attachments').where('thread_key', '=', param('thread')).returning('content_id'),
);

/** Adds a file to a thread; a refusal has written nothing. */
export async function addAttachment(session: Session, input: AddAttachment): Promise<AddAttachmentResult> {
  const { owner, ref, idempotency, content, now } = input;
  await lockNames(session, owner, [...(idempotency === null ? [] : [`repeat ${idempotency.key}`]), `content ${content.digest}`]);
  const thread = await lockThreadRow(session, owner, ref);
  if (thread === undefined) return { kind: 'refused', reason: 'thread_not_found' };
  if (idempotency !== null) {
    const earlier = await findRepeat<{ attachment: Attachment }>(session, { userId: thread.user_id, idempotency, now });
    if (earlier === 'mismatch') return { kind: 'refused', reason: 'idempotency_mismatch' };
    if (earlier !== null) return { kind: 'replayed', attachment: earlier.attachment };
  }
  const files = (await countOf.first(session, { thread: thread.key }))?.files ?? 0;
  if (files >= input.most) return { kind: 'refused', reason: 'too_many' };
  const claim = await claimContent(session, { userId: thread.user_id, content, mostBytes: input.mostBytes });
  if (claim.kind === 'refused') return claim;
  const { contentId } = claim;
  const attachment = await store(session, input, { thread, contentId });
  if (idempotency !== null) {
    await keepResult(session, { userId: thread.user_id, idempotency, threadKey: thread.key, result: { attachment }, now });
  }
  return { kind: 'added', attachment };
}

async function store(session: Session, input: AddAttachment, place: { thread: ThreadRow; contentId: string }): Promise<Attachment> {
  const { thread, contentId } = place;
  const { attachment, owner, now } = input;
  await add.run(session, { ...attachment, thread: thread.key, content: contentId, now });
  await touch.run(session, { thread: thread.key, now });
  await recordFacts(session, thread.key, [{ type: 'thread.changed' }]);
  const stored = await findAttachment(session, owner, { id: attachment.id });
  if (stored === null) throw new Error('A file was not found right after it was written.');
  return stored;
}

/** The owner's file of that name, unless its thread is deleted. */
export async function findAttachment(session: Session, owner: Owner, ref: AttachmentRef): Promise<Attachment | null> {
  const row = await findRow(session, owner, ref);
  return row === undefined ? null : toAttachment(row);
}

function findRow(session: Session, owner: Owner, ref: AttachmentRef) {
  const user = { application: owner.applicationId, user: owner.userId };
  return 'id' in ref ? byId.first(session, { ...user, id: ref.id }) : byNumber.first(session, { ...user, number: ref.number });
}

/** A page of a thread's files, newest first; null when the owner has no such thread. */
export async function listAttachments(
  session: Session,
  input: { owner: Owner; ref: ThreadRef; limit: number; after: AttachmentId | null },
): Promise<readonly Attachment[] | null> {
  const thread = await findThreadRow(session, input.owner, input.ref);
  if (thread === undefined) return null;
  const place = { thread: thread.key, limit: input.limit };
  const rows = input.after === null ? newest.all(session, place) : behind.all(session, { ...place, after: input.after });
  return (await rows).map(toAttachment);
}

/** All files of a thread, newest first. */
export async function attachmentsOf(session: Session, threadKey: ThreadKey): Promise<readonly Attachment[]> {
  return (await ofThread.all(session, { thread: threadKey })).map(toAttachment);
}

/** Removes a file, and its text unless another file of the owner has it. */
export async function removeAttachment(
  session: Session,
  { owner, id, now }: { owner: Owner; id: AttachmentId; now: number },
): Promise<Attachment | null> {
  const found = await findRow(session, owner, { id });
  if (found === undefined) return null;
  if ((await lockThreadRow(session, owner, { id: found.thread_id as ThreadId })) === undefined) return null;
  if ((await removeOne.run(session, { id })) === 0) return null;
  await dropUnused(session, [found.content_id]);
  await forgetResult(session, { threadKey: found.thread_key, id });
  await touch.run(session, { thread: found.thread_key, now });
  await recordFacts(session, found.thread_key, [{ type: 'thread.changed' }]);
  return toAttachment(found);
}

/** Removes the files of a thread, and the text of those of which its owner has no other. */
export async function removeAttachmentsOf(session: Session, threadKey: string): Promise<void> {
  const removed = await removeAll.all(session, { thread: threadKey });
  await dropUnused(session, [...new Set(removed.map((row) => row.content_id))]);
}

function toAttachment(row: FileRow): Attachment {
  return {
    id: row.id as AttachmentId,
    number: row.number,
    threadId: row.thread_id as ThreadId,
    threadNumber: row.thread_number,
    name: row.name,
    size: row.size,
    type: row.type as DocumentType,
    digest: row.digest,
    contentId: row.content_id as ContentId,
    pageCount: row.page_count,
    characters: row.characters,
    truncated: row.truncated === 1,
    createdAt: row.created_at,
  };
}
