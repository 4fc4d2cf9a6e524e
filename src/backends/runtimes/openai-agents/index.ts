import { setSensitiveDataLoggingEnabled, setTracingDisabled } from '@openai/agents';
import type { AgentRuntime } from '../../../core/ports/agent-runtime.ts';
import { oncePerModule } from '../once-per-module.ts';
import { loadAgent } from './agent-module.ts';
import { executeAgent } from './execute.ts';

/**
 * Runs agents whose module exports an agent of the OpenAI Agents SDK as `agent`. Its models, tools, handoffs and approvals all go through the
 * run's own ports; nothing is sent to OpenAI but what the run's provider sends.
 */
export function createOpenAiAgentsRuntime(): Required<AgentRuntime> {
  setTracingDisabled(true);
  setSensitiveDataLoggingEnabled(false);
  const load = oncePerModule(loadAgent);
  return {
    async check(module) {
      await load(module);
    },
    // Its state is stored before each call of a tool; text that stands before any call was said by an answer that cannot be taken up again.
    canResume: (before) => before.some(isToolFact) || !before.some(({ type }) => type === 'text.appended'),
    async run(task) {
      const { module, name } = task.agent;
      if (module === null) throw new Error(`The agent ${name} names no module`);
      return executeAgent(await load(module), task);
    },
  };
}

function isToolFact({ type }: { readonly type: string }): boolean {
  return type === 'tool.called' || type === 'approval.requested';
}
