import type { Agent, AgentDefinition } from '../../core/agent.ts';
import type { AgentId } from '../../core/ids.ts';
import type { AgentPage } from '../../core/ports/agent-store.ts';
import type { Idempotency } from '../../core/ports/idempotency.ts';
import type { Owner } from '../../core/principal.ts';

/** What an application says of an agent of its own: those that run code come from the server's configuration. */
export type OwnAgent = Omit<AgentDefinition, 'runtime' | 'module'> & { readonly name: string };

/** Changes of an agent; what is left out stays. */
interface ChangeAgent {
  readonly changes: Partial<OwnAgent>;
  /** Given: `state_conflict` unless this is the latest version. */
  readonly version?: number;
}

/** What a door can ask for about agents. Those of other applications are `agent_not_found`. */
export interface Agents {
  /** The name of the graph that comes with the server, for protocols that want one; null when there is none. */
  readonly graph: string | null;
  /** The name of the agent that answers where neither a message nor its thread names one; null when there is none. */
  readonly default: string | null;
  /** The application's own and those of configuration, by name. */
  list(owner: Owner, page: AgentPage): Promise<readonly Agent[]>;
  /** By UUID or name, in its latest version. */
  find(owner: Owner, named: string): Promise<Agent>;
  /** The same for whoever only wants to know what it says; null when there is none. */
  known(owner: Owner, named: string): Promise<Agent | null>;
  /** Newest first, before the version `before`. */
  versions(owner: Owner, id: AgentId, page: { readonly limit: number; readonly before: number | null }): Promise<readonly Agent[]>;
  /** Rejects with `state_conflict` when the application has an agent of that name, `model_unknown`, `idempotency_mismatch`. */
  create(owner: Owner, agent: OwnAgent, repeat: Idempotency | null): Promise<{ agent: Agent; replayed: boolean }>;
  /** A new version, unless nothing changes. Rejects as `create`, and with `state_conflict` for agents of configuration. */
  change(owner: Owner, id: AgentId, change: ChangeAgent): Promise<Agent>;
  /** Runs that have begun go on. Rejects with `state_conflict` for agents of configuration. */
  delete(owner: Owner, id: AgentId): Promise<void>;
}
