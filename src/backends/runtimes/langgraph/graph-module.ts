import type { RunnableConfig } from '@langchain/core/runnables';
import type { StateSnapshot } from '@langchain/langgraph';
import type { BaseCheckpointSaver } from '@langchain/langgraph-checkpoint';
import { loadExport } from '../load-export.ts';

/** A compiled graph, whatever its state is. */
export interface RunnableGraph {
  stream(input: unknown, options: object): Promise<AsyncIterable<unknown>>;
  getState(config: RunnableConfig): Promise<StateSnapshot>;
}

/** Loads the graph of a module and gives it the checkpointer: one that it was compiled with would not survive the process. */
export async function loadGraph(module: string, checkpointer: BaseCheckpointSaver): Promise<RunnableGraph> {
  const exported = await loadExport({ module, name: 'graph' });
  if (isBuilder(exported)) return exported.compile({ checkpointer });
  // A copy: what the module exports stays as it is.
  if (isCompiled(exported)) return Object.assign(exported.withConfig({}), { checkpointer });
  throw new Error(`${module} exports no LangGraph graph: "graph" must be a StateGraph, or what its compile() gives`);
}

function isBuilder(value: unknown): value is { compile(options: { checkpointer: BaseCheckpointSaver }): RunnableGraph } {
  return typeof value === 'object' && value !== null && 'compile' in value && typeof value.compile === 'function' && 'addNode' in value;
}

function isCompiled(value: unknown): value is { withConfig(config: RunnableConfig): RunnableGraph } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'getState' in value &&
    'withConfig' in value &&
    'stream' in value &&
    typeof value.stream === 'function'
  );
}
