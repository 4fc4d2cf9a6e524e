import type { Agent } from '../../core/agent.ts';
import { formatTime } from '../../http/time.ts';

/** What everybody may know of an agent. */
export function toAgentView({ id, name, description, greeting, model, runtime, version, applicationId, createdAt }: Agent): object {
  return {
    id,
    name,
    description,
    greeting,
    model,
    runtime,
    version,
    built_in: applicationId === null,
    created_at: formatTime(createdAt),
  };
}

/** All of it, for whoever runs the application. */
export function toWholeAgentView(agent: Agent): object {
  const { instructions, tools, rules, stepLimit } = agent;
  return { ...toAgentView(agent), instructions, tools, rules, step_limit: stepLimit };
}
