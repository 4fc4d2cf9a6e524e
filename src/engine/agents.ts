import type { Agent } from '../core/ports/agent.ts';
import { agentUnknown } from '../core/refusals.ts';

/** The agent of that name; null where none is named. Rejects unknown names. */
export function agentNamed(agents: readonly Agent[], name: string | null | undefined): Agent | null {
  if (name === null || name === undefined) return null;
  const agent = agents.find((candidate) => candidate.name === name);
  if (!agent) throw agentUnknown(name);
  return agent;
}
