import { sql } from 'kysely';
import type { ThreadQuery } from '../../../core/ports/store.ts';
import type { Owner } from '../../../core/principal.ts';
import type { Thread } from '../../../core/thread.ts';
import { toThread } from './rows.ts';
import type { Dialect, Session } from './session.ts';
import { allOf, builders } from './session.ts';
import { openThreads } from './threads.ts';

/** A page of the owner's threads, newest update first. Bounds of time are exclusive. */
export async function listThreads(session: Session, owner: Owner, query: ThreadQuery): Promise<readonly Thread[]> {
  let threads = openThreads(builders[session.dialect])
    .where('users.application_id', '=', owner.applicationId)
    .where('users.external_id', '=', owner.userId);
  const { cursor, model, tag, archived, createdBefore, createdAfter } = query;
  if (cursor !== null) {
    threads = threads.where((eb) => eb(eb.refTuple('threads.updated_at', 'threads.key'), '<', eb.tuple(cursor.updatedAt, cursor.key)));
  }
  if (model !== undefined) threads = threads.where('threads.model', '=', model);
  if (tag !== undefined) threads = threads.where(hasTag(session.dialect, tag));
  if (archived !== undefined) threads = threads.where('threads.archived', '=', archived ? 1 : 0);
  if (createdBefore !== undefined) threads = threads.where('threads.created_at', '<', createdBefore);
  if (createdAfter !== undefined) threads = threads.where('threads.created_at', '>', createdAfter);
  const page = threads.orderBy('threads.updated_at', 'desc').orderBy('threads.key', 'desc').limit(query.limit);
  return (await allOf(session, page)).map(toThread);
}

function hasTag(dialect: Dialect, tag: string) {
  switch (dialect) {
    case 'sqlite':
      return sql<boolean>`exists (select 1 from json_each(threads.tags) where json_each.value = ${tag})`;
    case 'postgres':
      return sql<boolean>`threads.tags::jsonb ? ${tag}`;
  }
}
