import type { ApprovalDecision } from '../../../core/tool.ts';

/** `application_id` is empty for those of configuration; `version` is the latest. A deleted one stays for the runs that go by its versions. */
export interface AgentsTable {
  readonly id: string;
  readonly application_id: string;
  readonly name: string;
  readonly version: number;
  readonly deleted: number;
}

/** `definition` is a JSON object. */
export interface AgentVersionsTable {
  readonly agent_id: string;
  readonly version: number;
  readonly created_at: number;
  readonly name: string;
  readonly definition: string;
}

/** Tools as an agent trusts them; `definition` is a JSON object. */
export interface ToolPinsTable {
  readonly agent_id: string;
  readonly tool: string;
  readonly digest: string;
  readonly pinned_at: number;
  readonly definition: string;
}

/** Calls that runs wait, or have waited, for; `decision` is null while somebody may still decide. What they are called with stands in the log only. */
export interface ApprovalsTable {
  readonly run_id: string;
  readonly call_id: string;
  readonly expires_at: number;
  readonly decision: ApprovalDecision | null;
}

/** What the runtimes of unfinished runs keep between attempts. */
export interface CheckpointsTable {
  readonly run_id: string;
  readonly name: string;
  readonly data: Uint8Array;
}
