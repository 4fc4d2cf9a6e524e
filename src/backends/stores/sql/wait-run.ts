import type { RunWait } from '../../../core/ports/store.ts';
import { askApprovals } from './approvals.ts';
import type { Db } from './db.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import { placeOf, standsInLog } from './run-log.ts';
import { findWritableRun } from './runs.ts';

const letGo = prepared((db, param: Param<{ id: string }>) =>
  db.updateTable('runs').set({ status: 'waiting', process_id: null, lease_until: null }).where('id', '=', param('id')),
);

/** Lets a run wait for decisions; false, with nothing written, when it is no longer the writer's. Call behind the run's lock. */
export async function waitRun(db: Db, { segment, approvals }: RunWait): Promise<boolean> {
  const { runId, attempt } = segment;
  const [run, last] = await Promise.all([findWritableRun(db.session, runId, attempt), db.log.lastOffset(runId)]);
  // A wait whose answer got lost on the way to the writer stands there, whatever has become of the run since.
  if (run === undefined || placeOf(segment, last) !== 'next') return standsInLog(db, segment);
  await db.log.write(segment);
  letGo.post(db.session, { id: runId });
  askApprovals(db.session, runId, approvals);
  return true;
}
