import type { Compilable, Kysely, RawBuilder } from 'kysely';
import { sql } from 'kysely';
import type { Passage } from '../../../core/attachment.ts';
import type { ContentId } from '../../../core/ids.ts';
import type { NewContent } from '../../../core/ports/attachment-store.ts';
import { idList } from './id-list.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import type { Database } from './schema.ts';
import type { Dialect, Session } from './session.ts';

/** Since when a content is stray that no file has any more: for longer than any that is being written. */
const ALWAYS = 0;

/** Rows that stay as they are until the transaction ends; SQLite has one writer. */
function locked<Row extends { forUpdate(): Row }>(rows: Row, dialect: Dialect): Row {
  return dialect === 'postgres' ? rows.forUpdate() : rows;
}

const announce = prepared((db, param: Param<{ id: string; at: number }>) =>
  db.insertInto('stray_contents').values({ id: param('id'), announced_at: param('at') }),
);

const strays = prepared((db, param: Param<{ before: number; limit: number }>) =>
  db
    .selectFrom('stray_contents')
    .select('id')
    .where((eb) => eb.or([eb('announced_at', '=', ALWAYS), eb('announced_at', '<', param('before'))]))
    .orderBy('id')
    .limit(param('limit')),
);

const lockStrays = prepared((db, param: Param<{ ids: string }>, dialect) =>
  locked(
    db
      .selectFrom('stray_contents')
      .select('id')
      .where('id', 'in', idList(dialect, param('ids')))
      .orderBy('id'),
    dialect,
  ),
);

const forget = prepared((db, param: Param<{ ids: string }>, dialect) =>
  db.deleteFrom('stray_contents').where('id', 'in', idList(dialect, param('ids'))),
);

const removePassages = prepared((db, param: Param<{ ids: string }>, dialect) =>
  db.deleteFrom('passages').where('content_id', 'in', idList(dialect, param('ids'))),
);

/** Rows of a JSON array of arrays. */
function passageRows(dialect: Dialect, json: string): RawBuilder<unknown> {
  switch (dialect) {
    case 'sqlite':
      return sql`json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]') from json_each(${json})`;
    case 'postgres':
      return sql`(item->>0)::bigint, (item->>1)::bigint, item->>2 from jsonb_array_elements(cast(${json} as jsonb)) as list (item)`;
  }
}

const addAll = prepared(
  (db: Kysely<Database>, param: Param<{ id: string; passages: string }>, dialect): Compilable<unknown> => ({
    compile: () =>
      sql`insert into passages (content_id, position, page, text)
        select cast(${param('id')} as text), ${passageRows(dialect, param('passages'))}`.compile(db),
  }),
);

const behind = prepared((db, param: Param<{ id: string; after: number; limit: number }>) =>
  db
    .selectFrom('passages')
    .select(['position', 'page', 'text'])
    .where('content_id', '=', param('id'))
    .where('position', '>', param('after'))
    .orderBy('position')
    .limit(param('limit')),
);

const at = prepared((db, param: Param<{ id: string; positions: string }>, dialect) =>
  db
    .selectFrom('passages')
    .select(['position', 'page', 'text'])
    .where('content_id', '=', param('id'))
    .where(sql<string>`cast(position as text)`, 'in', idList(dialect, param('positions')))
    .orderBy('position'),
);

const byDigest = prepared((db, param: Param<Pick<ContentColumns, 'user' | 'digest' | 'type'>>, dialect) =>
  locked(
    db
      .selectFrom('contents')
      .select('id')
      .where('user_id', '=', param('user'))
      .where('digest', '=', param('digest'))
      .where('type', '=', param('type')),
    dialect,
  ),
);

const bytesOf = prepared((db, param: Param<{ user: string }>) =>
  db.selectFrom('contents').select(sql<number | null>`cast(sum(size) as bigint)`.as('bytes')).where('user_id', '=', param('user')),
);

interface ContentColumns {
  readonly id: string;
  readonly user: string;
  readonly digest: string;
  readonly size: number;
  readonly type: NewContent['type'];
  readonly pages: number;
  readonly characters: number;
  readonly truncated: number;
}

const add = prepared((db, param: Param<ContentColumns>) =>
  db.insertInto('contents').values({
    id: param('id'),
    user_id: param('user'),
    digest: param('digest'),
    size: param('size'),
    type: param('type'),
    page_count: param('pages'),
    characters: param('characters'),
    truncated: param('truncated'),
  }),
);

const lockAll = prepared((db, param: Param<{ ids: string }>, dialect) =>
  locked(
    db
      .selectFrom('contents')
      .select('id')
      .where('id', 'in', idList(dialect, param('ids')))
      .orderBy('id'),
    dialect,
  ),
);

const removeUnused = prepared((db, param: Param<{ ids: string }>, dialect) =>
  db
    .deleteFrom('contents')
    .where('id', 'in', idList(dialect, param('ids')))
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom('attachments').select('attachments.id').whereRef('attachments.content_id', '=', 'contents.id'))),
    )
    .returning('id'),
);

/** Makes a content stray that is about to be written. */
export async function announceContent(session: Session, { id, now }: { id: ContentId; now: number }): Promise<void> {
  await announce.run(session, { id, at: now });
}

/** Writes passages, each text without NUL and lone surrogates. */
export async function addPassages(session: Session, id: ContentId, passages: readonly Passage[]): Promise<void> {
  const rows = passages.map(({ position, page, text }) => [position, page, text]);
  await addAll.run(session, { id, passages: JSON.stringify(rows) });
}

/** Passages in order, behind a place. */
export function readPassages(
  session: Session,
  { id, ...page }: { id: ContentId; after: number; limit: number },
): Promise<readonly Passage[]> {
  return behind.all(session, { id, ...page });
}

/** The passages at these places, in order. */
export function findPassages(session: Session, id: ContentId, positions: readonly number[]): Promise<readonly Passage[]> {
  return at.all(session, { id, positions: JSON.stringify(positions.map(String)) });
}

interface Claim {
  readonly userId: string;
  readonly content: NewContent;
  /** Bytes that all contents of the user may have. */
  readonly mostBytes: number;
}

type ClaimResult =
  | { readonly kind: 'claimed'; readonly contentId: string }
  | { readonly kind: 'refused'; readonly reason: 'content_gone' | 'too_many_bytes' };

/**
 * The content of these bytes, taken for this type, that the user has, else the given one, which is stray no longer; refused when it is not announced any more, or the
 * user has too much. Two calls for one user and digest must follow one another.
 */
export async function claimContent(session: Session, { userId, content, mostBytes }: Claim): Promise<ClaimResult> {
  const ids = JSON.stringify([content.id]);
  const announced = await lockStrays.first(session, { ids });
  if (announced === undefined) return { kind: 'refused', reason: 'content_gone' };
  const known = await byDigest.first(session, { user: userId, digest: content.digest, type: content.type });
  if (known !== undefined) return { kind: 'claimed', contentId: known.id };
  const bytes = (await bytesOf.first(session, { user: userId }))?.bytes ?? 0;
  if (bytes + content.size > mostBytes) return { kind: 'refused', reason: 'too_many_bytes' };
  await forget.run(session, { ids });
  const { id, digest, size, type, pageCount, characters, truncated } = content;
  await add.run(session, { id, user: userId, digest, size, type, pages: pageCount, characters, truncated: truncated ? 1 : 0 });
  return { kind: 'claimed', contentId: id };
}

/** Makes those of these contents stray that no file has any more, and removes their text. */
export async function dropUnused(session: Session, contentIds: readonly string[]): Promise<void> {
  if (contentIds.length === 0) return;
  const ids = JSON.stringify(contentIds);
  await lockAll.all(session, { ids });
  // Only a statement that begins with the locks taken sees what whoever had them before has written.
  const dropped = (await removeUnused.all(session, { ids })).map((row) => row.id);
  if (dropped.length === 0) return;
  await removePassages.run(session, { ids: JSON.stringify(dropped) });
  for (const id of dropped) await announce.run(session, { id, at: ALWAYS });
}

/** Contents whose last file is gone, and those announced before a time. */
export async function strayContents(
  session: Session,
  { announcedBefore, limit }: { announcedBefore: number; limit: number },
): Promise<readonly ContentId[]> {
  return (await strays.all(session, { before: announcedBefore, limit })).map((row) => row.id as ContentId);
}

/** Removes the text of those of these contents that are stray, and forgets them; tells whether there was any text. */
export async function forgetContents(session: Session, contentIds: readonly ContentId[]): Promise<boolean> {
  const rows = await lockStrays.all(session, { ids: JSON.stringify(contentIds) });
  if (rows.length === 0) return false;
  const ids = JSON.stringify(rows.map((row) => row.id));
  const removed = await removePassages.run(session, { ids });
  await forget.run(session, { ids });
  return removed > 0;
}
