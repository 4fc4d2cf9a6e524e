import type { AgentRuntime } from '../../../core/ports/agent-runtime.ts';
import { oncePerModule } from '../once-per-module.ts';
import { executeGraph } from './execute.ts';
import { loadGraph } from './graph-module.ts';
import { RunSaver } from './saver.ts';

/**
 * Runs agents whose module exports a LangGraph graph as `graph`. Nodes, models, tools, interrupts and checkpoints all go through the run's
 * own ports (decision 15).
 */
export function createLangGraphRuntime(): Required<AgentRuntime> {
  switchTracingOff();
  const saver = new RunSaver();
  const load = oncePerModule(async (module) => {
    const graph = await loadGraph(module, saver);
    // The module may have read settings of its own.
    switchTracingOff();
    return graph;
  });
  return {
    async check(module) {
      await load(module);
    },
    // A node is entered only behind the checkpoint that it begins from.
    canResume: (before) => before.some(({ type }) => type === 'node.entered'),
    async run(task) {
      const { module, name } = task.agent;
      if (module === null) throw new Error(`The agent ${name} names no module`);
      return executeGraph(await load(module), saver, task);
    },
  };
}

/** LangChain would send what users write to LangSmith if the environment says so; it looks there at every call. */
function switchTracingOff(): void {
  const names = ['LANGSMITH_TRACING', 'LANGSMITH_TRACING_V2', 'LANGCHAIN_TRACING', 'LANGCHAIN_TRACING_V2', 'LANGCHAIN_VERBOSE'];
  for (const name of names) delete process.env[name];
}
