import type { RunId, ThreadId } from '../ids.ts';
import type { Owner } from '../principal.ts';
import type { JsonObject } from '../thread.ts';
import type { ToolDefinition } from '../tool.ts';

/** For whom a call is made, and how long it may take. */
export interface ToolContext {
  readonly owner: Owner;
  readonly threadId: ThreadId;
  readonly runId: RunId;
  /** Aborts when the run ends or the call's time is over; the tool stops its work. */
  readonly signal: AbortSignal;
  /** Tells that the work goes on: the call's time begins anew, up to a bound that no call passes. */
  progress(): void;
}

/** What a tool said; text that a model reads as data. Failures that the model may know of are results, too. */
export interface ToolOutcome {
  readonly status: 'completed' | 'failed';
  readonly result: string;
}

/** Something that a run can call. Arguments have been checked against `parameters`. */
export interface Tool extends ToolDefinition {
  /** Whether these arguments need an approval also where a rule allows the tool; without it the rules decide alone. */
  needsApproval?(args: JsonObject): Promise<boolean>;
  /** Rejects only with the signal's reason, or with what nobody expects. */
  call(args: JsonObject, context: ToolContext): Promise<ToolOutcome>;
}

/** A place that tools come from: what the server has built in, or one MCP server. */
export interface ToolSource {
  /** `A-Za-z0-9_-`; tools of an MCP server are named `<source>_<tool>`, and `<source>/*` stands for all of them. */
  readonly name: string;
  /** Whose runs may use it; absent or null: everybody's. */
  readonly applications?: readonly string[] | null;
  /** The tools there are now; rejects with a `ToolError` when it cannot be reached. */
  list(signal: AbortSignal): Promise<readonly Tool[]>;
  close(): Promise<void>;
}

/** Why a source or a call fails, in words that a model and a user may see: no address, no credential. */
export class ToolError extends Error {
  override readonly name = 'ToolError';
}
