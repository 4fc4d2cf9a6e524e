import { AppError } from '../../core/errors.ts';
import type { RunId } from '../../core/ids.ts';
import type { ApprovalStore } from '../../core/ports/approval-store.ts';
import type { RunStore } from '../../core/ports/store.ts';
import type { Owner } from '../../core/principal.ts';
import { approvalNotFound, runNotFound } from '../../core/refusals.ts';
import type { Run } from '../../core/run.ts';
import type { JsonObject } from '../../core/thread.ts';
import type { ApprovalDecision } from '../../core/tool.ts';
import { type QueuePorts, startQueued } from './queue.ts';

interface DecidePorts extends QueuePorts {
  readonly store: ApprovalStore & Pick<RunStore, 'findRun'> & QueuePorts['store'];
  readonly tell: (run: Run) => void;
}

/** What somebody decides about a call that waits. */
export interface Decision {
  readonly runId: RunId;
  readonly callId: string;
  readonly decision: ApprovalDecision;
  /** What the call is made with instead, or the words that answer a question; null for what was asked. */
  readonly arguments: JsonObject | string | null;
}

/**
 * Decides about a call, and lets the run go on when nothing is left to decide. Gives the run, also to whoever decides the same once more. Rejects
 * with `run_not_found`, `approval_not_found`; with `state_conflict` when it was decided otherwise, or nobody did in time.
 */
export function createDecide(ports: DecidePorts): (owner: Owner, decision: Decision) => Promise<Run> {
  const { store, clock, tell } = ports;
  return async (owner, { runId, callId, decision, arguments: args }) => {
    const edited = typeof args === 'object' && args !== null ? JSON.stringify(args) : args;
    const result = await store.decideApproval({ owner, runId, callId, decision, arguments: edited, now: clock.now() });
    if (!('run' in result)) throw result.kind === 'run_not_found' ? runNotFound() : approvalNotFound();
    const { run } = result;
    tell(run);
    if (run.status === 'queued') await startQueued(ports);
    if (result.kind === 'already_decided' && result.decision !== decision) throw decidedBefore(result.decision);
    return (await store.findRun(owner, runId)) ?? run;
  };
}

function decidedBefore(decision: ApprovalDecision): AppError {
  return new AppError('state_conflict', `This call has been ${decision === 'approve' ? 'approved' : 'denied'} before`);
}

/** Denies what nobody has decided in time, and lets the runs go on that have waited for it. */
export function createExpireApprovals(ports: DecidePorts): () => Promise<void> {
  const { store, clock, tell } = ports;
  return async () => {
    for (;;) {
      const runs = await store.expireApprovals(clock.now());
      if (runs.length === 0) return;
      for (const run of runs) tell(run);
      await startQueued(ports);
    }
  };
}
