import { v7 } from 'uuid';
import type { Owner } from '../../../core/principal.ts';
import { ensureApplication } from './applications.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import { randomNumber } from './random-number.ts';
import type { Session } from './session.ts';

/** A user's own record, with the number of its application. */
export interface UserRow {
  readonly id: string;
  readonly number: number;
  readonly application_number: number;
}

const byName = prepared((db, param: Param<{ application: string; user: string }>) =>
  db
    .selectFrom('users')
    .innerJoin('applications', 'applications.id', 'users.application_id')
    .where('users.application_id', '=', param('application'))
    .where('users.external_id', '=', param('user'))
    .select(['users.id', 'users.number', 'applications.number as application_number']),
);

const addUser = prepared((db, param: Param<{ id: string; application: string; user: string; number: number }>) =>
  db
    .insertInto('users')
    .values({ id: param('id'), application_id: param('application'), external_id: param('user'), number: param('number') })
    .onConflict((conflict) => conflict.columns(['application_id', 'external_id']).doNothing()),
);

/** The user's record, or undefined while nobody of that name was seen. */
export function findUser(session: Session, owner: Owner): Promise<UserRow | undefined> {
  return byName.first(session, { application: owner.applicationId, user: owner.userId });
}

/** The user's record, made on first sight together with its application's. */
export async function ensureUser(session: Session, owner: Owner, now: number): Promise<UserRow> {
  const known = await findUser(session, owner);
  if (known !== undefined) return known;
  await ensureApplication(session, owner.applicationId, now);
  await addUser.run(session, { id: v7(), application: owner.applicationId, user: owner.userId, number: randomNumber() });
  const made = await findUser(session, owner);
  if (made === undefined) throw new Error('A user was not found right after it was written.');
  return made;
}
