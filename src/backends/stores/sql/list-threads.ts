import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { ThreadFilter, ThreadQuery } from '../../../core/ports/thread-query.ts';
import type { Owner } from '../../../core/principal.ts';
import type { Thread } from '../../../core/thread.ts';
import { toThread } from './rows.ts';
import type { Database } from './schema.ts';
import { hasWords } from './search-condition.ts';
import type { Dialect, Session } from './session.ts';
import { allOf, builders } from './session.ts';
import { openThreads } from './threads.ts';
import { findUser } from './users.ts';

/** A page of the owner's threads, newest update first. */
export async function listThreads(session: Session, owner: Owner, query: ThreadQuery): Promise<readonly Thread[]> {
  const { cursor, limit, offset } = query;
  let page = threadsOf(session.dialect, owner, await withUser(session, owner, query))
    .orderBy('threads.updated_at', 'desc')
    .orderBy('threads.key', 'desc')
    .limit(limit)
    .offset(offset ?? 0);
  if (cursor !== null) {
    page = page.where((eb) => eb(eb.refTuple('threads.updated_at', 'threads.key'), '<', eb.tuple(cursor.updatedAt, cursor.key)));
  }
  return (await allOf(session, page)).map(toThread);
}

/** How many threads of the owner the filter leaves. */
export async function countThreads(session: Session, owner: Owner, filter: ThreadFilter): Promise<number> {
  const found = threadsOf(session.dialect, owner, await withUser(session, owner, filter));
  const [row] = await allOf(
    session,
    found.clearSelect().select((eb) => eb.fn.countAll<number>().as('threads')),
  );
  return row?.threads ?? 0;
}

interface UserFilter extends ThreadFilter {
  readonly userId: string | null;
}

/** In the index, words have their user's id; nobody has written any under the name of a user that is not there. */
async function withUser(session: Session, owner: Owner, filter: ThreadFilter): Promise<UserFilter> {
  if (filter.words === undefined) return { ...filter, userId: null };
  return { ...filter, userId: (await findUser(session, owner))?.id ?? null };
}

function threadsOf(dialect: Dialect, owner: Owner, filter: UserFilter) {
  const db: Kysely<Database> = builders[dialect];
  let threads = openThreads(db).where('users.application_id', '=', owner.applicationId).where('users.external_id', '=', owner.userId);
  const { model, orNoModel, tags = [], archived, createdBefore, createdAfter, words, userId } = filter;
  if (model !== undefined) {
    threads = threads.where((eb) => eb.or([eb('threads.model', '=', model), ...(orNoModel ? [eb('threads.model', 'is', null)] : [])]));
  }
  for (const tag of tags) threads = threads.where(hasTag(dialect, tag));
  if (archived !== undefined) threads = threads.where('threads.archived', '=', archived ? 1 : 0);
  if (createdBefore !== undefined) threads = threads.where('threads.created_at', '<', createdBefore);
  if (createdAfter !== undefined) threads = threads.where('threads.created_at', '>', createdAfter);
  if (words !== undefined) threads = threads.where(hasWords(dialect, userId ?? '', words));
  return threads;
}

function hasTag(dialect: Dialect, tag: string) {
  switch (dialect) {
    case 'sqlite':
      return sql<boolean>`exists (select 1 from json_each(threads.tags) where json_each.value = ${tag})`;
    case 'postgres':
      return sql<boolean>`threads.tags::jsonb ? ${tag}`;
  }
}
