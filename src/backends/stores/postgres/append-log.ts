import type { RunId } from '../../../core/ids.ts';
import type { LogBatch, LogBatchResult, RunEnd, RunWait } from '../../../core/ports/store.ts';
import type { Run } from '../../../core/run.ts';
import { claimNext } from '../sql/claims.ts';
import type { Db } from '../sql/db.ts';
import { forgetAgent, standsThere } from '../sql/end-run.ts';
import { lockRuns } from '../sql/locks.ts';
import { placeOf } from '../sql/run-log.ts';
import type { Session } from '../sql/session.ts';
import { waitRun } from '../sql/wait-run.ts';
import { type Closing, type EndingRun, openRuns, postEnds } from './ends.ts';
import type { KnownEnds } from './known-ends.ts';
import { fitsOneRow, liveLog } from './live-log.ts';

/** Writes a flush of many runs in the caller's transaction. A run that is no longer the writer's gets nothing and is named in `fenced`. */
export async function appendLog(session: Session, known: KnownEnds, batch: LogBatch): Promise<LogBatchResult> {
  const db = { session, log: liveLog(session, known) };
  const last = [...batch.waits, ...batch.ends].map(({ segment }) => segment.runId);
  await lockRuns(session, last);
  const appending = db.log.append(batch.segments);
  const appended = new Set(batch.segments.map(({ runId }) => runId));
  // Where an end has to see what the same flush appends to its run, that comes first.
  if (last.some((runId) => appended.has(runId))) await appending;
  const [refused, open] = await Promise.all([appending, openRuns(session, batch.ends)]);
  const fenced = new Set(refused);
  await storeWaits(db, batch.waits, fenced);
  const closings: Closing[] = [];
  for (const end of batch.ends) {
    const { segment } = end;
    const run = fenced.has(segment.runId) ? undefined : writable(end, open.get(segment.runId));
    if (run !== undefined) closings.push({ end, run, fits: fitsOneRow(segment, known) });
    else if (!(await standsThere(db, end))) fenced.add(segment.runId);
  }
  postEnds(session, closings, batch.now);
  return { fenced: [...fenced], started: await finish(db, closings, batch) };
}

async function storeWaits(db: Db, waits: readonly RunWait[], fenced: Set<RunId>): Promise<void> {
  for (const wait of waits) {
    const { runId } = wait.segment;
    if (fenced.has(runId) || !(await waitRun(db, wait))) fenced.add(runId);
  }
}

function writable({ segment }: RunEnd, run: EndingRun | undefined): EndingRun | undefined {
  return run !== undefined && placeOf(segment, run.last_offset) === 'next' ? run : undefined;
}

/** Does what only some ends need; gives the runs that begin behind them. */
async function finish(db: Db, closings: readonly Closing[], { lease }: LogBatch): Promise<readonly Run[]> {
  const started: Run[] = [];
  for (const { run, end, fits } of closings) {
    if (!fits) await db.log.pack(end.segment);
    forgetAgent(db.session, run);
    const next = run.has_next && lease !== null ? await claimNext(db, run, lease) : null;
    if (next !== null) started.push(next);
  }
  return started;
}
