import type { RunId } from '../ids.ts';
import type { Owner } from '../principal.ts';
import type { Run } from '../run.ts';
import type { ApprovalDecision } from '../tool.ts';

/** A call that a run waits for. */
export interface RequestedApproval {
  readonly callId: string;
  /** Milliseconds since 1970; nobody's decision by then counts as a denial. */
  readonly expiresAt: number;
}

export interface DecideApproval {
  readonly owner: Owner;
  readonly runId: RunId;
  readonly callId: string;
  readonly decision: ApprovalDecision;
  /** What the call is made with, or the question answered with, instead of what was asked; null for what was asked. */
  readonly arguments: string | null;
  readonly now: number;
}

/** The run is `queued` again once nothing is left to decide: the first of its thread to be claimed. */
export type DecideResult =
  | { readonly kind: 'decided'; readonly run: Run }
  /** Decided before, the same or otherwise; or overdue, which has just made it a denial; or the run has ended. */
  | { readonly kind: 'already_decided'; readonly run: Run; readonly decision: ApprovalDecision }
  | { readonly kind: 'run_not_found' | 'approval_not_found' };

/** What people decide about the calls that runs wait for. */
export interface ApprovalStore {
  /** Decides about one call; `approval.decided` stands at the log's next offset then. */
  decideApproval(input: DecideApproval): Promise<DecideResult>;
  /** Denies what nobody has decided until `now`, some of it at a time; gives the runs that were touched, none when there is no more. */
  expireApprovals(now: number): Promise<readonly Run[]>;
}
