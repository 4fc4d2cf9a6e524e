import type { RequestedApproval } from '../../../core/ports/approval-store.ts';
import type { ApprovalDecision } from '../../../core/tool.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import type { ApprovalsTable } from './schema-agents.ts';
import type { Session } from './session.ts';

const ask = prepared((db, param: Param<{ run: string; call: string; expires: number }>) =>
  db
    .insertInto('approvals')
    .values({ run_id: param('run'), call_id: param('call'), expires_at: param('expires'), decision: null })
    .onConflict((conflict) =>
      conflict.columns(['run_id', 'call_id']).doUpdateSet((eb) => ({ expires_at: eb.ref('excluded.expires_at'), decision: null })),
    ),
);

const one = prepared((db, param: Param<{ run: string; call: string }>) =>
  db.selectFrom('approvals').selectAll().where('run_id', '=', param('run')).where('call_id', '=', param('call')),
);

const undecided = prepared((db, param: Param<{ run: string; until: number }>) =>
  db
    .selectFrom('approvals')
    .select('call_id')
    .where('run_id', '=', param('run'))
    .where('decision', 'is', null)
    .where('expires_at', '<=', param('until'))
    .orderBy('call_id'),
);

const overdue = prepared((db, param: Param<{ now: number; limit: number }>) =>
  db
    .selectFrom('approvals')
    .innerJoin('runs', 'runs.id', 'approvals.run_id')
    .innerJoin('threads', 'threads.key', 'runs.thread_key')
    .where('approvals.decision', 'is', null)
    .where('approvals.expires_at', '<=', param('now'))
    .where('runs.status', '=', 'waiting')
    .where('threads.deleted_at', 'is', null)
    .select(['runs.id', 'runs.thread_key'])
    .distinct()
    .orderBy('runs.thread_key')
    .limit(param('limit')),
);

const decide = prepared((db, param: Param<{ run: string; call: string; decision: ApprovalDecision }>) =>
  db
    .updateTable('approvals')
    .set({ decision: param('decision') })
    .where('run_id', '=', param('run'))
    .where('call_id', '=', param('call')),
);

const denyRest = prepared((db, param: Param<{ run: string; decision: ApprovalDecision }>) =>
  db
    .updateTable('approvals')
    .set({ decision: param('decision') })
    .where('run_id', '=', param('run'))
    .where('decision', 'is', null),
);

/** Notes what a run waits for; what was decided under the same id before is asked anew. */
export function askApprovals(session: Session, runId: string, approvals: readonly RequestedApproval[]): void {
  for (const { callId, expiresAt } of approvals) ask.post(session, { run: runId, call: callId, expires: expiresAt });
}

/** A call that the run waits, or has waited, for. */
export function findApproval(session: Session, runId: string, callId: string): Promise<ApprovalsTable | undefined> {
  return one.first(session, { run: runId, call: callId });
}

/** The run's calls that nobody has decided although they had to be until `until`. */
export async function undecidedCalls(session: Session, runId: string, until = Number.MAX_SAFE_INTEGER): Promise<readonly string[]> {
  return (await undecided.all(session, { run: runId, until })).map((row) => row.call_id);
}

/** Waiting runs with calls that had to be decided until `now`, by their threads. */
export function overdueRuns(session: Session, now: number, limit: number): Promise<readonly { id: string; thread_key: string }[]> {
  return overdue.all(session, { now, limit });
}

/** Notes what was decided about a call. */
export function noteDecision(session: Session, decided: { run: string; call: string; decision: ApprovalDecision }): void {
  decide.post(session, decided);
}

/** Nobody can decide any more: the run has ended. */
export function denyUndecided(session: Session, runId: string): void {
  denyRest.post(session, { run: runId, decision: 'deny' });
}
