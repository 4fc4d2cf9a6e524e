import type { ApiKey } from '../../../core/access.ts';
import type { ApplicationId, KeyId } from '../../../core/ids.ts';
import type { AccessStore } from '../../../core/ports/store.ts';
import type { Scope } from '../../../core/principal.ts';
import { nextAccessVersion } from './access-version.ts';
import { findApplication } from './applications.ts';
import { idList } from './id-list.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import type { ApiKeysTable } from './schema.ts';
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

const ofAll = prepared((db) => db.selectFrom('api_keys').selectAll().orderBy('created_at', 'desc').orderBy('place', 'desc'));

const ofApplication = prepared((db, param: Param<{ application: string }>) =>
  db
    .selectFrom('api_keys')
    .selectAll()
    .where('application_id', '=', param('application'))
    .orderBy('created_at', 'desc')
    .orderBy('place', 'desc'),
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

/** Stores a key unless its application is unknown; rejects when its digest is somebody's already. */
export async function createKey(session: Session, { key, digest }: Parameters<AccessStore['createKey']>[0]): Promise<boolean> {
  if ((await findApplication(session, key.applicationId)) === null) return false;
  const place = await nextAccessVersion(session);
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
  return true;
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

/** Keys of an application, or of all, newest first. */
export async function listKeys(session: Session, applicationId: ApplicationId | null): Promise<readonly ApiKey[]> {
  if (applicationId === null) return (await ofAll.all(session, {})).map(toKey);
  return isStorable(applicationId) ? (await ofApplication.all(session, { application: applicationId })).map(toKey) : [];
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
