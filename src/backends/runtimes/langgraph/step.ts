import type { RunnableConfig } from '@langchain/core/runnables';
import type { Origin } from '../narrator.ts';

/** The step of the graph that a call is made from, by what LangGraph notes in its configuration. */
export function stepOf({ metadata }: Pick<RunnableConfig, 'metadata'>): Origin['step'] {
  const node: unknown = metadata?.langgraph_node;
  const namespace: unknown = metadata?.langgraph_checkpoint_ns;
  if (typeof node !== 'string' || typeof namespace !== 'string') return null;
  return { id: namespace.slice(namespace.lastIndexOf(':') + 1), node };
}
