import type { Agent } from '../../core/agent.ts';
import { AppError } from '../../core/errors.ts';
import type { AgentId } from '../../core/ids.ts';
import type { AgentStore, SaveAgent } from '../../core/ports/agent-store.ts';
import type { Catalogue } from '../../core/ports/catalogue.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { IdSource } from '../../core/ports/ids.ts';
import type { Owner } from '../../core/principal.ts';
import { agentNotFound, repeatMismatch } from '../../core/refusals.ts';
import { modelNamed } from '../models.ts';
import { refOf } from './agent-named.ts';
import type { Agents, OwnAgent } from './agents.ts';

interface AgentsPorts {
  readonly store: AgentStore;
  readonly catalogue: Catalogue;
  readonly ids: IdSource;
  readonly clock: Pick<Clock, 'now'>;
  readonly houseGraph: string | null;
  readonly defaultAgent: string | null;
}

export function createAgents({ store, catalogue, ids, clock, houseGraph, defaultAgent }: AgentsPorts): Agents {
  async function save(input: Omit<SaveAgent, 'now'>): Promise<{ agent: Agent; replayed: boolean }> {
    const { model } = input.definition;
    if (model !== null) modelNamed(catalogue, model);
    const saved = await store.saveAgent({ ...input, now: clock.now() });
    if (saved === 'name_taken') throw new AppError('state_conflict', 'There is an agent of that name already');
    if (saved === 'version_conflict') throw new AppError('state_conflict', 'The agent has changed meanwhile; read it again');
    if (saved === 'idempotency_mismatch') throw repeatMismatch();
    return 'replayed' in saved ? { agent: saved.replayed, replayed: true } : { agent: saved, replayed: false };
  }

  /** An agent that the application may change. */
  async function own({ applicationId }: Owner, id: AgentId): Promise<Agent> {
    const agent = known(await store.findAgent(applicationId, { id }));
    if (agent.applicationId === null)
      throw new AppError('state_conflict', "This agent comes with the server's configuration; change it there");
    return agent;
  }

  return {
    graph: houseGraph,
    default: defaultAgent,
    list: ({ applicationId }, page) => store.listAgents(applicationId, page),
    find: async ({ applicationId }, named) => known(await store.findAgent(applicationId, refOf(named))),
    known: ({ applicationId }, named) => store.findAgent(applicationId, refOf(named)),
    versions: async ({ applicationId }, id, page) => known(await store.listAgentVersions(applicationId, id, page)),
    create(owner, agent, idempotency) {
      const repeat = idempotency && { owner, idempotency };
      return save({ applicationId: owner.applicationId, id: ids.uuid<AgentId>(), ...definitionOf(agent), expectedVersion: 0, repeat });
    },
    async change(owner, id, { changes, version }) {
      const before = await own(owner, id);
      if (version !== undefined && version !== before.version) {
        throw new AppError('state_conflict', `The agent has version ${before.version} by now; read it again`);
      }
      const { applicationId } = owner;
      return (await save({ applicationId, id, ...definitionOf({ ...before, ...changes }), expectedVersion: before.version })).agent;
    },
    async delete(owner, id) {
      await own(owner, id);
      if (!(await store.deleteAgent(owner.applicationId, id))) throw agentNotFound();
    },
  };
}

function definitionOf({ name, ...agent }: OwnAgent): Pick<SaveAgent, 'name' | 'definition'> {
  const { description, instructions, greeting, model, tools, rules, stepLimit } = agent;
  return { name, definition: { description, instructions, greeting, model, runtime: 'loop', module: null, tools, rules, stepLimit } };
}

function known<T>(found: T | null): T {
  if (found === null) throw agentNotFound();
  return found;
}
