import type { Agent } from '../agent.ts';
import type { Run } from '../run.ts';
import type { RunFact } from '../run-event.ts';
import type { ToolDefinition } from '../tool.ts';
import type { CheckpointStore } from './checkpoint-store.ts';
import type { ChunkSink, ModelChunk, ModelEnd, ModelProvider, ModelRequest } from './model-provider.ts';
import type { Tool } from './tool.ts';

/** What an agent tells while it answers: its model's text, and the nodes of its graph as they are entered. Tool calls go through the desk. */
export type AgentChunk = Exclude<ModelChunk, { type: 'tool_call' }> | { readonly type: 'node'; readonly name: string };

/** A call as the model asked for it. */
export interface ToolRequest {
  readonly call_id: string;
  readonly name: string;
  /** JSON text, exactly as the model wrote it. */
  readonly arguments: string;
}

/** What the model is told of a call: data, cut and labelled. */
export interface ToolAnswer {
  readonly call_id: string;
  readonly name: string;
  readonly status: 'completed' | 'failed' | 'cancelled' | 'denied';
  readonly result: string;
}

/** The only way in which a run calls tools: everything is checked, stored and bounded here. */
export interface ToolDesk {
  /** What the agent lists and its rules do not deny. */
  readonly tools: readonly ToolDefinition[];
  /**
   * Makes the calls side by side, each stored with its result; answers in the order of the requests. `waiting`: some need an approval, all
   * others have been made; the runtime then returns `waiting` and is called again, in another attempt, when everything is decided.
   * A call that an earlier attempt made is answered from the log.
   */
  call(requests: readonly ToolRequest[]): Promise<readonly ToolAnswer[] | 'waiting'>;
  /** A desk that also knows tools which the agent's module brings itself: the agent's list, rules and bounds hold for them, too. */
  extend(own: readonly Tool[]): ToolDesk;
  /** Asks a person about something that is no tool, such as a graph's interrupt: the answer given to it, or `waiting`. */
  ask(question: { readonly call_id: string; readonly name: string; readonly arguments: string }): Promise<ApprovalAnswer | 'waiting'>;
}

/** What a person decided; `arguments` replaces those that were asked about. */
export interface ApprovalAnswer {
  readonly decision: 'approve' | 'deny';
  readonly arguments: string | null;
}

/** One execution of one run by one agent. */
export interface AgentTask {
  readonly agent: Agent;
  readonly run: Run;
  /** The conversation with the agent's instructions, as its model would get it; `tools` are the desk's. */
  readonly request: ModelRequest;
  readonly provider: ModelProvider;
  readonly desk: ToolDesk;
  /** What earlier attempts of this run have put into its log, oldest first; empty in the first. */
  readonly before: readonly RunFact[];
  /** Where a runtime keeps what it needs to go on in a later attempt. */
  readonly checkpoints: CheckpointStore;
  /** Takes chunks in order; a returned promise asks to pause. */
  readonly emit: (chunk: AgentChunk) => ReturnType<ChunkSink>;
  /** Resolves when everything emitted so far stands in the log: a checkpoint must not be ahead of the text that belongs to it. */
  stored(): Promise<void>;
  readonly signal: AbortSignal;
}

/** How an execution ended: with an answer, or waiting for a person. */
export type AgentEnd = ModelEnd | { readonly reason: 'waiting' };

/** A way to execute agents. */
export interface AgentRuntime {
  /** Loads the module of an agent and looks at what it exports; rejects with a sentence that names the file and what is wrong with it. */
  check?(module: string): Promise<void>;
  /** Whether an attempt can go on where these facts of the one before end; if not, the run ends as interrupted. */
  canResume(before: readonly RunFact[]): boolean;
  /** Rejects with a `ModelError`, an `AppError`, or the signal's reason. */
  run(task: AgentTask): Promise<AgentEnd>;
}
