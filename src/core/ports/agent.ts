import type { ChunkSink, ModelChunk, ModelEnd, ModelProvider, ModelRequest } from './model-provider.ts';

/** What an agent tells while it answers: its model's chunks, and the nodes of its graph as they are entered. */
export type AgentChunk = ModelChunk | { readonly type: 'node'; readonly name: string };

/** One answer to give. */
export interface AgentTask {
  /** The conversation, as it would go to the model without an agent. */
  readonly request: ModelRequest;
  readonly provider: ModelProvider;
  /** Takes chunks in order; a returned promise asks to pause. */
  readonly emit: (chunk: AgentChunk) => ReturnType<ChunkSink>;
  readonly signal: AbortSignal;
}

/** A way to answer that is more than one call of the model. */
export interface Agent {
  readonly name: string;
  /** One sentence for people who choose. */
  readonly description: string;
  /** The nodes its answers may go through. */
  readonly nodes: readonly string[];
  run(task: AgentTask): Promise<ModelEnd>;
}
