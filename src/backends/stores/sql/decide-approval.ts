import type { RunId } from '../../../core/ids.ts';
import type { DecideApproval, DecideResult } from '../../../core/ports/approval-store.ts';
import type { Run } from '../../../core/run.ts';
import { lineOf, logEvent } from '../../../core/run-event.ts';
import type { ApprovalDecision } from '../../../core/tool.ts';
import { findApproval, noteDecision, overdueRuns, undecidedCalls } from './approvals.ts';
import type { Db } from './db.ts';
import { lockThread } from './locks.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import type { RunRow } from './rows.ts';
import { toRun } from './rows.ts';
import { allRuns, findRunRow } from './runs.ts';
import { isStorable } from './storable.ts';

/** Each is a transaction's work: more of them wait for the next call. */
const RUNS_PER_CALL = 50;

const waitingRun = prepared((db, param: Param<{ id: string }>) =>
  allRuns(db).where('runs.id', '=', param('id')).where('runs.status', '=', 'waiting').where('threads.deleted_at', 'is', null),
);

const queue = prepared((db, param: Param<{ id: string }>) =>
  db.updateTable('runs').set({ status: 'queued' }).where('id', '=', param('id')),
);

interface Decision {
  readonly callId: string;
  readonly decision: ApprovalDecision;
  readonly arguments: string | null;
  readonly expired: boolean;
}

/** Decides about one call of a waiting run, once. */
export async function decideApproval(db: Db, input: DecideApproval): Promise<DecideResult> {
  const { owner, runId, callId, now } = input;
  const { session } = db;
  const found = await findRunRow(session, owner, runId);
  if (found === undefined) return { kind: 'run_not_found' };
  await lockThread(session, found.thread_key);
  const run = await findRunRow(session, owner, runId);
  if (run === undefined || run.deleted_at !== null) return { kind: 'run_not_found' };
  const approval = isStorable(callId) ? await findApproval(session, runId, callId) : undefined;
  if (approval === undefined) return { kind: 'approval_not_found' };
  if (approval.decision !== null) return { kind: 'already_decided', run: toRun(run), decision: approval.decision };
  if (approval.expires_at <= now) {
    return { kind: 'already_decided', run: toRun(await decideCalls(db, run, [denial(callId)])), decision: 'deny' };
  }
  const { decision, arguments: given } = input;
  return { kind: 'decided', run: toRun(await decideCalls(db, run, [{ callId, decision, arguments: given, expired: false }])) };
}

/** Denies what nobody has decided in time. */
export async function expireApprovals(db: Db, now: number): Promise<readonly Run[]> {
  const touched: Run[] = [];
  for (const { id, thread_key } of await overdueRuns(db.session, now, RUNS_PER_CALL)) {
    await lockThread(db.session, thread_key);
    const run = await waitingRun.first(db.session, { id });
    const calls = run === undefined ? [] : await undecidedCalls(db.session, id, now);
    if (run !== undefined && calls.length > 0) touched.push(toRun(await decideCalls(db, run, calls.map(denial))));
  }
  return touched;
}

function denial(callId: string): Decision {
  return { callId, decision: 'deny', arguments: null, expired: true };
}

/** Gives the run as it is then: queued when this was the last it waited for. */
async function decideCalls(db: Db, run: RunRow, decisions: readonly Decision[]): Promise<RunRow> {
  const { session, log } = db;
  const first = (await log.lastOffset(run.id)) + 1;
  const events = decisions.map(({ callId, decision, arguments: given, expired }, index) => {
    noteDecision(session, { run: run.id, call: callId, decision });
    const fact = { type: 'approval.decided', call_id: callId, decision, arguments: given, expired } as const;
    return lineOf(logEvent(run.id as RunId, first + index, fact));
  });
  const last = first + events.length - 1;
  await log.write({ runId: run.id as RunId, attempt: run.attempt, first, last, events: events.join('\n') });
  if ((await undecidedCalls(session, run.id)).length > 0) return run;
  queue.post(session, { id: run.id });
  return { ...run, status: 'queued' };
}
