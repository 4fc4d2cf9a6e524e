import type { UnfinishedRuns } from '../../../core/ports/store.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import type { Session } from './session.ts';

/** Through the index that holds unfinished runs only, however many have ended. */
const byStatus = prepared((db, param: Param<{ limit: number }>) =>
  db
    .selectFrom((eb) => eb.selectFrom('runs').select('status').where('ended_at', 'is', null).limit(param('limit')).as('unfinished'))
    .select((eb) => ['status', eb.fn.countAll<number>().as('runs')])
    .groupBy('status'),
);

/** Unfinished runs of all users by their state, at most `limit` in all. */
export async function countUnfinished(session: Session, limit: number): Promise<UnfinishedRuns> {
  const counts = new Map((await byStatus.all(session, { limit })).map(({ status, runs }) => [status, runs]));
  return { queued: counts.get('queued') ?? 0, running: counts.get('running') ?? 0, waiting: counts.get('waiting') ?? 0 };
}
