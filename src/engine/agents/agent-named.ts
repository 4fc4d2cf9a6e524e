import type { Agent } from '../../core/agent.ts';
import { type AgentId, parseUuid } from '../../core/ids.ts';
import type { AgentRef, AgentStore } from '../../core/ports/agent-store.ts';
import type { Owner } from '../../core/principal.ts';
import { agentUnknown } from '../../core/refusals.ts';

/** What somebody means who names an agent: its UUID or its name. */
export function refOf(named: string): AgentRef {
  const id = parseUuid<AgentId>(named);
  return id ? { id } : { name: named };
}

/** The agent of that UUID or name which the owner's application may use; null where none is named. Rejects with `agent_unknown`. */
export async function agentNamed(
  store: Pick<AgentStore, 'findAgent'>,
  { applicationId }: Owner,
  named: string | null | undefined,
): Promise<Agent | null> {
  if (named === null || named === undefined) return null;
  const agent = await store.findAgent(applicationId, refOf(named));
  if (!agent) throw agentUnknown(named);
  return agent;
}
