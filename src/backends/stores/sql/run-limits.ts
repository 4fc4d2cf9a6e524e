import { type AliasedExpression, type Kysely, sql } from 'kysely';
import type { BeginRun, RunsLeft } from '../../../core/ports/store.ts';
import { lockExactly } from './locks.ts';
import type { Param, Prepared } from './prepared.ts';
import { prepared } from './prepared.ts';
import type { Database } from './schema.ts';
import type { Session } from './session.ts';

/** More than all servers on one store begin at any moment: so far below a limit, beginnings need not wait for each other. */
const FAR = 64;

interface Scope {
  readonly application: string;
  readonly user: string;
  readonly limit: number;
}

interface OpenLimit {
  readonly limit: number | null;
}

interface Counted {
  readonly unfinished: number;
}

/** How the unfinished runs of a user, or of an application, are counted, at most up to the limit. */
interface Counting {
  readonly nameOf: (scope: Scope) => string;
  readonly count: Prepared<Scope, Counted>;
  /** Counts, and far below the limit keeps those who count exactly waiting until this transaction has ended. PostgreSQL only. */
  readonly countAndShare: Prepared<Scope & { readonly name: string; readonly near: number }, Counted>;
}

type Found = (db: Kysely<Database>, param: Param<Scope>) => AliasedExpression<{ readonly id: string }, 'found'>;

function counting(nameOf: Counting['nameOf'], found: Found): Counting {
  const counted = (db: Kysely<Database>, param: Param<Scope>) =>
    db.selectFrom(found(db, param)).select((eb) => eb.fn.countAll<number>().as('unfinished'));
  return {
    nameOf,
    count: prepared(counted),
    countAndShare: prepared((db, param) =>
      db
        .selectFrom(counted(db, param).as('counted'))
        .select('unfinished')
        .select(
          sql<unknown>`case when unfinished < ${param('near')}
            then pg_advisory_xact_lock_shared(hashtextextended(${param('name')}, 0)) end`.as('shared'),
        ),
    ),
  };
}

const ofUser = counting(
  ({ application, user }) => JSON.stringify([application, user, 'unfinished']),
  (db, param) =>
    db
      .selectFrom('runs')
      .innerJoin('users', 'users.id', 'runs.user_id')
      .where('users.application_id', '=', param('application'))
      .where('users.external_id', '=', param('user'))
      .where('runs.counted_for', '=', param('application'))
      .where('runs.ended_at', 'is', null)
      .select('runs.id')
      .limit(param('limit'))
      .as('found'),
);

const ofApplication = counting(
  ({ application }) => JSON.stringify([application]),
  (db, param) =>
    db
      .selectFrom('runs')
      .where('counted_for', '=', param('application'))
      .where('ended_at', 'is', null)
      .select('id')
      .limit(param('limit'))
      .as('found'),
);

/** Whether a bound is so low that beginnings below it always wait for each other. */
export function isAlwaysNear({ user, application }: BeginRun['maxUnfinished']): boolean {
  return [user, application].some((limit) => limit !== null && limit <= FAR);
}

/**
 * What one more run leaves, or whose bound it would exceed. That it may begin holds until the transaction ends; call it behind all other
 * locks. Far below a bound what it leaves is as it was a moment ago.
 */
export async function runsLeft(
  session: Session,
  { owner, maxUnfinished }: Pick<BeginRun, 'owner' | 'maxUnfinished'>,
): Promise<RunsLeft | keyof RunsLeft> {
  const names = { application: owner.applicationId, user: owner.userId };
  const user = await leftIn(session, ofUser, { ...names, limit: maxUnfinished.user });
  if (user !== null && user < 0) return 'user';
  const application = await leftIn(session, ofApplication, { ...names, limit: maxUnfinished.application });
  return application !== null && application < 0 ? 'application' : { user, application };
}

/** Below zero when one more is too many; null without bound. */
async function leftIn(session: Session, counting: Counting, scope: Omit<Scope, 'limit'> & OpenLimit): Promise<number | null> {
  const { limit } = scope;
  return limit === null ? null : limit - 1 - (await unfinishedOf(session, counting, { ...scope, limit }));
}

async function unfinishedOf(session: Session, { nameOf, count, countAndShare }: Counting, scope: Scope): Promise<number> {
  const { limit } = scope;
  if (session.dialect === 'sqlite') return unfinishedIn(await count.first(session, scope));
  const name = nameOf(scope);
  const near = limit - FAR;
  if (near > 0) {
    const unfinished = unfinishedIn(await countAndShare.first(session, { ...scope, name, near }));
    if (unfinished < near || unfinished >= limit) return unfinished;
  }
  await lockExactly(session, name);
  return unfinishedIn(await count.first(session, scope));
}

function unfinishedIn(row: Counted | undefined): number {
  if (row === undefined) throw new Error('The store does not count runs.');
  return row.unfinished;
}
