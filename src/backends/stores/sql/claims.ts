import { sql } from 'kysely';
import type { RunId } from '../../../core/ids.ts';
import type { Lease, LostRun } from '../../../core/ports/store.ts';
import type { Run } from '../../../core/run.ts';
import type { Db } from './db.ts';
import { idList } from './id-list.ts';
import { lockThread } from './locks.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import type { RunRow } from './rows.ts';
import { toRun } from './rows.ts';
import { liveEvents, startLog } from './run-log.ts';
import { allRuns, type Queue, unfinishedRuns } from './runs.ts';
import type { Session } from './session.ts';
import { recordFacts, runStarted } from './thread-events.ts';

/** In any order: SQLite would read every run there is for the order of threads, in which they are locked. */
const waitingThreads = prepared((db) =>
  db
    .selectFrom('runs')
    .innerJoin('threads', 'threads.key', 'runs.thread_key')
    .where('runs.ended_at', 'is', null)
    .where('runs.status', '=', 'queued')
    .where('threads.deleted_at', 'is', null)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('runs as ahead')
            .select('ahead.id')
            .whereRef('ahead.counted_for', '=', 'runs.counted_for')
            .whereRef('ahead.user_id', '=', 'runs.user_id')
            .whereRef('ahead.thread_key', '=', 'runs.thread_key')
            .where('ahead.ended_at', 'is', null)
            .where('ahead.status', 'in', ['running', 'waiting']),
        ),
      ),
    )
    .select([sql<string>`runs.counted_for`.as('application_id'), 'runs.user_id', 'runs.thread_key'])
    .distinct(),
);

const lease = prepared((db, param: Param<{ id: string; attempt: number; process: string; until: number }>) =>
  db
    .updateTable('runs')
    .set({ status: 'running', attempt: param('attempt'), process_id: param('process'), lease_until: param('until') })
    .where('id', '=', param('id')),
);

const held = prepared((db, param: Param<{ process: string }>, dialect) => {
  const runs = db
    .selectFrom('runs')
    .select('id')
    .where('ended_at', 'is', null)
    .where('status', '=', 'running')
    .where('process_id', '=', param('process'));
  // SQLite would read every run there is in the order of ids.
  return dialect === 'postgres' ? runs.orderBy('id').forUpdate() : runs;
});

const renew = prepared((db, param: Param<{ ids: string; until: number }>, dialect) =>
  db
    .updateTable('runs')
    .set({ lease_until: param('until') })
    .where('id', 'in', idList(dialect, param('ids'))),
);

const lost = prepared((db, param: Param<{ now: number }>, dialect) => {
  const runs = allRuns(db)
    .where('runs.ended_at', 'is', null)
    .where('runs.status', '=', 'running')
    .where('runs.lease_until', '<=', param('now'))
    .where('threads.deleted_at', 'is', null)
    .orderBy('runs.created_at')
    .orderBy('runs.id');
  // Another process that takes runs over, or ends them, just now has its own way.
  return dialect === 'postgres' ? runs.forUpdate('runs').skipLocked() : runs;
});

const executed = prepared((db, param: Param<{ id: string }>, dialect) => {
  const runs = allRuns(db).where('runs.id', '=', param('id')).where('runs.status', '=', 'running').where('threads.deleted_at', 'is', null);
  return dialect === 'postgres' ? runs.forUpdate('runs') : runs;
});

/** Starts the oldest queued run of a thread, unless one is under way there or the thread is deleted. */
export async function claimNext(db: Db, queue: Queue, claim: Lease): Promise<Run | null> {
  await lockThread(db.session, queue.thread_key);
  const runs = await unfinishedRuns(db.session, queue);
  const next = runs[0];
  if (next === undefined || next.deleted_at !== null || runs.some((run) => run.status !== 'queued')) return null;
  const run = toRun(await takeOver(db.session, next, claim));
  await startLog(db, run);
  if (run.attempt === 1) await recordFacts(db.session, queue.thread_key, [runStarted(run)]);
  return run;
}

/** Starts what waits in every thread in which nothing is under way. */
export async function claimQueued(db: Db, claim: Lease): Promise<readonly Run[]> {
  const claimed: Run[] = [];
  const queues = await waitingThreads.all(db.session, {});
  for (const queue of queues.toSorted((a, b) => (a.thread_key < b.thread_key ? -1 : 1))) {
    const run = await claimNext(db, queue, claim);
    if (run !== null) claimed.push(run);
  }
  return claimed;
}

/** Prolongs the process's leases on these runs, by default on all that it holds; gives those that it still holds. */
export async function renewLeases(session: Session, claim: Lease & { readonly runIds?: readonly RunId[] }): Promise<readonly RunId[]> {
  const wanted = claim.runIds && new Set<string>(claim.runIds);
  const runs = await held.all(session, { process: claim.processId });
  const ids = runs.map(({ id }) => id as RunId).filter((id) => wanted?.has(id) !== false);
  await renew.run(session, { ids: JSON.stringify(ids), until: claim.until });
  return ids;
}

/** Takes over runs whose lease is over, each with the next attempt, so that its former owner can write no more. */
export async function takeLost(db: Db, input: { now: number; lease: Lease; only?: RunId }): Promise<readonly LostRun[]> {
  const taken: LostRun[] = [];
  const rows =
    input.only === undefined ? await lost.all(db.session, { now: input.now }) : await executed.all(db.session, { id: input.only });
  for (const row of rows) {
    const run = toRun(await takeOver(db.session, row, input.lease));
    taken.push({ run, events: await liveEvents(db, row.id) });
  }
  return taken;
}

async function takeOver(session: Session, row: RunRow, claim: Lease): Promise<RunRow> {
  const attempt = row.attempt + 1;
  lease.post(session, { id: row.id, attempt, process: claim.processId, until: claim.until });
  return { ...row, status: 'running', attempt, process_id: claim.processId, lease_until: claim.until };
}
