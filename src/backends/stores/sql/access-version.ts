import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import type { Session } from './session.ts';

const current = prepared((db) => db.selectFrom('access_version').select('value'));

const increase = prepared((db, param: Param<{ more: number }>) =>
  db
    .updateTable('access_version')
    .set((eb) => ({ value: eb('value', '+', param('more')) }))
    .returning('value'),
);

/** The number of the newest change of keys and applications. */
export async function accessVersion(session: Session): Promise<number> {
  return versionIn(await current.first(session, {}));
}

/** Gives this transaction's change its number; other changes wait until it has ended, so that a number is never seen before an earlier one. */
export async function nextAccessVersion(session: Session): Promise<number> {
  return versionIn(await increase.first(session, { more: 1 }));
}

function versionIn(row: { readonly value: number } | undefined): number {
  if (row === undefined) throw new Error('The store does not tell the version of its keys.');
  return row.value;
}
