import type { Expression, Kysely } from 'kysely';
import { sql } from 'kysely';
import type { ApiKey } from '../../../core/access.ts';
import type { ApplicationId, KeyId } from '../../../core/ids.ts';
import type { AccessStore, KeyPage } from '../../../core/ports/store.ts';
import type { Scope } from '../../../core/principal.ts';
import { nextAccessVersion } from './access-version.ts';
import { findApplication } from './applications.ts';
import { idList } from './id-list.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import type { ApiKeysTable, Database } from './schema.ts';
import type { Session } from './session.ts';
import { isStorable } from './storable.ts';

const add = prepared((db, param: Param<{ [Column in keyof ApiKeysTable]: ApiKeysTable[Column] }>) =>
  db.insertInto('api_keys').values({
    id: param('id'),
    application_id: param('application_id'),
    digest: param('digest'),
    name: param('name'),
    hint: param('hint'),
    scopes: param('scopes'),
    dialects: param('dialects'),
    user_id: param('user_id'),
    tier: param('tier'),
    created_at: param('created_at'),
    expires_at: param('expires_at'),
    last_used_at: param('last_used_at'),
    revoked_at: param('revoked_at'),
    place: param('place'),
  }),
);

const byDigest = prepared((db, param: Param<{ digest: string }>) =>
  db.selectFrom('api_keys').selectAll().where('digest', '=', param('digest')),
);

const byIds = prepared((db, param: Param<{ ids: string }>, dialect) =>
  db
    .selectFrom('api_keys')
    .selectAll()
    .where('id', 'in', idList(dialect, param('ids')))
    .orderBy('created_at', 'desc')
    .orderBy('place', 'desc'),
);

interface Place {
  readonly limit: number;
  readonly after: string;
  readonly application: string;
}

const newest = (db: Kysely<Database>, param: Param<Pick<Place, 'limit'>>) =>
  db.selectFrom('api_keys').selectAll().orderBy('created_at', 'desc').orderBy('place', 'desc').limit(param('limit'));

/** Rows that stand behind one of these, which is one row or none. */
const behind = (last: Expression<unknown>) => sql<boolean>`(api_keys.created_at, api_keys.place) < ${last}`;

const keyIn = (db: Kysely<Database>, param: Param<Pick<Place, 'after'>>) =>
  db.selectFrom('api_keys as last').select(['last.created_at', 'last.place']).where('last.id', '=', param('after'));

const ofAll = {
  first: prepared((db, param: Param<Pick<Place, 'limit'>>) => newest(db, param)),
  next: prepared((db, param: Param<Pick<Place, 'limit' | 'after'>>) => newest(db, param).where(behind(keyIn(db, param)))),
};

const ofApplication = {
  first: prepared((db, param: Param<Pick<Place, 'limit' | 'application'>>) =>
    newest(db, param).where('application_id', '=', param('application')),
  ),
  next: prepared((db, param: Param<Place>) =>
    newest(db, param)
      .where('application_id', '=', param('application'))
      .where(behind(keyIn(db, param).where('last.application_id', '=', param('application')))),
  ),
};

const counting = prepared((db, param: Param<{ application: string; now: number }>) =>
  db
    .selectFrom('api_keys')
    .select((eb) => eb.fn.countAll<number>().as('keys'))
    .where('application_id', '=', param('application'))
    .where('revoked_at', 'is', null)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', param('now'))])),
);

const revoke = prepared((db, param: Param<{ id: string; now: number }>) =>
  db
    .updateTable('api_keys')
    .set({ revoked_at: param('now') })
    .where('id', '=', param('id'))
    .where('revoked_at', 'is', null),
);

const touch = prepared((db, param: Param<{ id: string; at: number; before: number }>) =>
  db
    .updateTable('api_keys')
    .set({ last_used_at: param('at') })
    .where('id', '=', param('id'))
    .where((eb) => eb.or([eb('last_used_at', 'is', null), eb('last_used_at', '<', param('before'))])),
);

/** Stores a key unless its application is unknown or has too many; rejects when its digest is somebody's already. */
export async function createKey(session: Session, input: Parameters<AccessStore['createKey']>[0]): ReturnType<AccessStore['createKey']> {
  const { key, digest } = input;
  if ((await findApplication(session, key.applicationId)) === null) return 'application_unknown';
  if (await isFull(session, input)) return 'too_many';
  const place = await nextAccessVersion(session);
  // Others who make a key have waited for the number, and are counted only now.
  if (await isFull(session, input)) return 'too_many';
  await add.run(session, {
    id: key.id,
    application_id: key.applicationId,
    digest,
    name: key.name,
    hint: key.hint,
    scopes: JSON.stringify(key.scopes),
    dialects: key.dialects === null ? null : JSON.stringify(key.dialects),
    user_id: key.userId,
    tier: key.tier,
    created_at: key.createdAt,
    expires_at: key.expiresAt,
    last_used_at: key.lastUsedAt,
    revoked_at: key.revokedAt,
    place,
  });
  return 'created';
}

async function isFull(session: Session, { key, most }: Parameters<AccessStore['createKey']>[0]): Promise<boolean> {
  if (most === undefined) return false;
  const row = await counting.first(session, { application: key.applicationId, now: key.createdAt });
  return Number(row?.keys ?? 0) >= most;
}

/** The key whose secret has this digest. */
export async function findKeyByDigest(session: Session, digest: string): Promise<ApiKey | null> {
  const row = isStorable(digest) ? await byDigest.first(session, { digest }) : undefined;
  return row === undefined ? null : toKey(row);
}

/** Those of the keys that there are, each once. */
export async function findKeys(session: Session, ids: readonly KeyId[]): Promise<readonly ApiKey[]> {
  const storable = ids.filter(isStorable);
  return storable.length === 0 ? [] : (await byIds.all(session, { ids: JSON.stringify(storable) })).map(toKey);
}

/** A page of the keys of an application, or of all, newest first. */
export async function listKeys(session: Session, applicationId: ApplicationId | null, page: KeyPage): Promise<readonly ApiKey[]> {
  const { limit, after } = page;
  if (after !== null && !isStorable(after)) return [];
  if (applicationId === null) {
    const rows = after === null ? ofAll.first.all(session, { limit }) : ofAll.next.all(session, { limit, after });
    return (await rows).map(toKey);
  }
  if (!isStorable(applicationId)) return [];
  const place = { limit, application: applicationId };
  const rows = after === null ? ofApplication.first.all(session, place) : ofApplication.next.all(session, { ...place, after });
  return (await rows).map(toKey);
}

/** Ends a key's validity, once. */
export async function revokeKey(session: Session, input: Parameters<AccessStore['revokeKey']>[0]): Promise<ApiKey | null> {
  const { applicationId, id, now } = input;
  const [found] = await findKeys(session, [id]);
  if (found === undefined || (applicationId !== null && found.applicationId !== applicationId)) return null;
  if (found.revokedAt !== null) return found;
  await nextAccessVersion(session);
  await revoke.run(session, { id, now });
  return (await findKeys(session, [id]))[0] ?? null;
}

/** Notes the latest use of each key; in one order, so that servers which note the same keys do not wait for each other in a circle. */
export async function touchKeys(session: Session, uses: Parameters<AccessStore['touchKeys']>[0]): Promise<void> {
  const latest = new Map<KeyId, number>();
  for (const { id, at } of uses) if (isStorable(id)) latest.set(id, Math.max(at, latest.get(id) ?? at));
  const ordered = [...latest].sort(([one], [other]) => (one < other ? -1 : 1));
  for (const [id, at] of ordered) await touch.run(session, { id, at, before: at });
}

function toKey(row: ApiKeysTable): ApiKey {
  return {
    id: row.id as KeyId,
    applicationId: row.application_id as ApplicationId,
    name: row.name,
    hint: row.hint,
    scopes: JSON.parse(row.scopes) as readonly Scope[],
    dialects: row.dialects === null ? null : (JSON.parse(row.dialects) as readonly string[]),
    userId: row.user_id,
    tier: row.tier,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
  };
}
