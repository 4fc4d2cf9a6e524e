import type { Lease, LostRun } from '../../../core/ports/store.ts';
import type { Run } from '../../../core/run.ts';
import type { Db } from './db.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import type { RunRow } from './rows.ts';
import { toRun } from './rows.ts';
import { liveEvents, startLog } from './run-log.ts';
import { allRuns, unfinishedRuns } from './runs.ts';
import type { Session } from './session.ts';
import { recordFacts, runStarted } from './thread-events.ts';

const waitingThreads = prepared((db) =>
  db
    .selectFrom('runs')
    .innerJoin('threads', 'threads.key', 'runs.thread_key')
    .where('runs.ended_at', 'is', null)
    .where('runs.status', '=', 'queued')
    .where('threads.deleted_at', 'is', null)
    .select('runs.thread_key')
    .distinct(),
);

const openThread = prepared((db, param: Param<{ thread: string }>) =>
  db.selectFrom('threads').select('key').where('key', '=', param('thread')).where('deleted_at', 'is', null),
);

const lease = prepared((db, param: Param<{ id: string; attempt: number; process: string; until: number }>) =>
  db
    .updateTable('runs')
    .set({ status: 'running', attempt: param('attempt'), process_id: param('process'), lease_until: param('until') })
    .where('id', '=', param('id')),
);

const renew = prepared((db, param: Param<{ process: string; until: number }>) =>
  db
    .updateTable('runs')
    .set({ lease_until: param('until') })
    .where('ended_at', 'is', null)
    .where('status', '=', 'running')
    .where('process_id', '=', param('process')),
);

const lost = prepared((db, param: Param<{ now: number }>) =>
  allRuns(db)
    .where('runs.ended_at', 'is', null)
    .where('runs.status', '=', 'running')
    .where('runs.lease_until', '<=', param('now'))
    .where('threads.deleted_at', 'is', null)
    .orderBy('runs.created_at')
    .orderBy('runs.id'),
);

/** Starts the oldest queued run of a thread, unless one is under way there or the thread is deleted. */
export async function claimNext(db: Db, threadKey: string, claim: Lease): Promise<Run | null> {
  const runs = await unfinishedRuns(db.session, threadKey);
  const next = runs[0];
  if (next === undefined || runs.some((run) => run.status !== 'queued')) return null;
  if ((await openThread.first(db.session, { thread: threadKey })) === undefined) return null;
  const run = toRun(await takeOver(db.session, next, claim));
  await startLog(db, run);
  await recordFacts(db.session, threadKey, [runStarted(run)]);
  return run;
}

/** Starts what waits in every thread in which nothing is under way. */
export async function claimQueued(db: Db, claim: Lease): Promise<readonly Run[]> {
  const claimed: Run[] = [];
  for (const row of await waitingThreads.all(db.session, {})) {
    const run = await claimNext(db, row.thread_key, claim);
    if (run !== null) claimed.push(run);
  }
  return claimed;
}

/** Prolongs every lease of the process. */
export async function renewLeases(session: Session, claim: Lease): Promise<void> {
  await renew.run(session, { process: claim.processId, until: claim.until });
}

/** Takes over runs whose lease is over, each with the next attempt, so that its former owner can write no more. */
export async function takeLost(db: Db, input: { now: number; lease: Lease }): Promise<readonly LostRun[]> {
  const taken: LostRun[] = [];
  for (const row of await lost.all(db.session, { now: input.now })) {
    const run = toRun(await takeOver(db.session, row, input.lease));
    taken.push({ run, events: await liveEvents(db, row.id) });
  }
  return taken;
}

async function takeOver(session: Session, row: RunRow, claim: Lease): Promise<RunRow> {
  const attempt = row.attempt + 1;
  await lease.run(session, { id: row.id, attempt, process: claim.processId, until: claim.until });
  return { ...row, status: 'running', attempt, process_id: claim.processId, lease_until: claim.until };
}
