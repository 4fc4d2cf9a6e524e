import type { Agent, AgentDefinition } from '../agent.ts';
import type { AgentId, ApplicationId } from '../ids.ts';
import type { Owner } from '../principal.ts';
import type { ToolPin } from '../tool.ts';
import type { Idempotency } from './idempotency.ts';

/** The two public names of an agent. */
export type AgentRef = { readonly id: AgentId } | { readonly name: string };

export interface SaveAgent {
  /** Null: an agent of configuration, seen by every application. */
  readonly applicationId: ApplicationId | null;
  readonly id: AgentId;
  readonly name: string;
  readonly definition: AgentDefinition;
  readonly now: number;
  /** Given: refuse unless this is the latest version; 0 for an agent that does not exist yet. */
  readonly expectedVersion?: number;
  /** Who may ask for the same again. */
  readonly repeat?: { readonly owner: Owner; readonly idempotency: Idempotency } | null;
}

/** `replayed`: the first result under the key, as it was then. */
export type SaveAgentResult = Agent | { readonly replayed: Agent } | 'name_taken' | 'version_conflict' | 'idempotency_mismatch';

/** Part of a list of agents by name: behind the name `after`, null for the beginning. */
export interface AgentPage {
  readonly limit: number;
  readonly after: string | null;
}

/** Agents with all their versions, and the tools that they trust. */
export interface AgentStore {
  /**
   * Stores a new version, unless name and definition are those of the latest one, which is given back then. Names are unique in an
   * application. One of configuration that was deleted comes back with its next version. An id of another application, or of an agent of its own
   * that was deleted, is a conflict.
   */
  saveAgent(input: SaveAgent): Promise<SaveAgentResult>;
  /** The latest version of what the application may use: its own agent before one of configuration. */
  findAgent(applicationId: ApplicationId, ref: AgentRef): Promise<Agent | null>;
  /** What `findAgent` gives by name, by name; null for those of configuration. */
  listAgents(applicationId: ApplicationId | null, page: AgentPage): Promise<readonly Agent[]>;
  /** Newest first; null when the application has no such agent. */
  listAgentVersions(
    applicationId: ApplicationId,
    id: AgentId,
    page: { readonly limit: number; readonly before: number | null },
  ): Promise<readonly Agent[] | null>;
  /** For the runs that began with it: as long as they are unfinished, also when the agent has been deleted since. */
  findAgentVersion(id: AgentId, version: number): Promise<Agent | null>;
  /**
   * False when the application has no such agent of its own. Unfinished runs go on with the version they have; everything else of it is
   * removed. Null hides one of configuration.
   */
  deleteAgent(applicationId: ApplicationId | null, id: AgentId): Promise<boolean>;
  /** What an agent trusts. */
  toolPins(agentId: AgentId): Promise<readonly ToolPin[]>;
  /** Trusts these from now on, in place of what stood under their names; `onlyNew` leaves what stands there. */
  pinTools(input: {
    readonly agentId: AgentId;
    readonly pins: readonly ToolPin[];
    readonly onlyNew: boolean;
    readonly now: number;
  }): Promise<void>;
}
