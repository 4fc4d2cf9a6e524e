import type { Application, ApplicationChanges } from '../../../core/access.ts';
import type { ApplicationId } from '../../../core/ids.ts';
import { nextAccessVersion } from './access-version.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import { randomNumber } from './random-number.ts';
import type { ApplicationsTable } from './schema.ts';
import type { Session } from './session.ts';
import { isStorable } from './storable.ts';

const byId = prepared((db, param: Param<{ id: string }>) => db.selectFrom('applications').selectAll().where('id', '=', param('id')));

const all = prepared((db) => db.selectFrom('applications').selectAll().orderBy('place').orderBy('created_at').orderBy('id'));

const add = prepared((db, param: Param<{ [Column in keyof ApplicationsTable]: ApplicationsTable[Column] }>) =>
  db
    .insertInto('applications')
    .values({
      id: param('id'),
      number: param('number'),
      name: param('name'),
      tier: param('tier'),
      jwks_url: param('jwks_url'),
      sealed_secrets: param('sealed_secrets'),
      issuer: param('issuer'),
      audience: param('audience'),
      created_at: param('created_at'),
      place: param('place'),
    })
    .onConflict((conflict) => conflict.column('id').doNothing()),
);

type Changeable = Omit<ApplicationsTable, 'number' | 'created_at' | 'place'>;

const change = prepared((db, param: Param<{ [Column in keyof Changeable]: Changeable[Column] }>) =>
  db
    .updateTable('applications')
    .set({
      name: param('name'),
      tier: param('tier'),
      jwks_url: param('jwks_url'),
      sealed_secrets: param('sealed_secrets'),
      issuer: param('issuer'),
      audience: param('audience'),
    })
    .where('id', '=', param('id')),
);

/** The application of that id. */
export async function findApplication(session: Session, id: ApplicationId): Promise<Application | null> {
  const row = isStorable(id) ? await byId.first(session, { id }) : undefined;
  return row === undefined ? null : toApplication(row);
}

/** Every application, in the order of their making. */
export async function listApplications(session: Session): Promise<readonly Application[]> {
  return (await all.all(session, {})).map(toApplication);
}

/** Makes an application unless there is one of that id. */
export async function createApplication(session: Session, application: Application): Promise<boolean> {
  if ((await findApplication(session, application.id)) !== null) return false;
  const place = await nextAccessVersion(session);
  const written = await add.run(session, {
    ...changeable(application),
    number: randomNumber(),
    created_at: application.createdAt,
    place,
  });
  return written > 0;
}

/** The application is there afterwards; seen for the first time by one of its users, it is called by its id. */
export async function ensureApplication(session: Session, id: ApplicationId, now: number): Promise<void> {
  const tokens = { jwksUrl: null, sealedSecrets: [], issuer: null, audience: null };
  await createApplication(session, { id, name: id, tier: null, tokens, createdAt: now });
}

/** Changes what is given, of the rules for tokens too. Changes follow one another, so that none undoes what another has just written. */
export async function changeApplication(session: Session, id: ApplicationId, changes: ApplicationChanges): Promise<Application | null> {
  if ((await findApplication(session, id)) === null) return null;
  await nextAccessVersion(session);
  const found = await findApplication(session, id);
  if (found === null) return null;
  const { name = found.name, tier = found.tier, tokens = {} } = changes;
  const changed = { ...found, name, tier, tokens: { ...found.tokens, ...tokens } };
  await change.run(session, changeable(changed));
  return changed;
}

function changeable({ id, name, tier, tokens }: Application): Changeable {
  return {
    id,
    name,
    tier,
    jwks_url: tokens.jwksUrl,
    sealed_secrets: JSON.stringify(tokens.sealedSecrets),
    issuer: tokens.issuer,
    audience: tokens.audience,
  };
}

function toApplication(row: ApplicationsTable): Application {
  return {
    id: row.id as ApplicationId,
    name: row.name,
    tier: row.tier,
    tokens: {
      jwksUrl: row.jwks_url,
      sealedSecrets: JSON.parse(row.sealed_secrets) as readonly string[],
      issuer: row.issuer,
      audience: row.audience,
    },
    createdAt: row.created_at,
  };
}
