import { v5 } from 'uuid';
import { shippedAgents } from '../agents/shipped-agents.ts';
import { systemClock } from '../backends/clock/system-clock.ts';
import { createToolSchemas } from '../backends/tool-schemas/index.ts';
import type { AgentConfig } from '../config/agents.ts';
import { ConfigError } from '../config/config-error.ts';
import type { Config } from '../config.ts';
import type { AgentId } from '../core/ids.ts';
import type { AgentRuntime } from '../core/ports/agent-runtime.ts';
import type { AgentStore } from '../core/ports/agent-store.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { EnginePorts } from '../engine/index.ts';

/** The name of the graph that protocols for graphs use. */
const HOUSE_GRAPH = 'assistant-graph';
/** The namespace of the ids of agents that are named by settings (RFC 9562 section 5.5). */
const NAMESPACE = '6f0a2c1e-5b0d-4c53-9a3e-7d1b8f4e2a90';
const AGENTS_PER_PAGE = 100;
const LOAD_MS = 60_000;

/** What the engine needs to execute agents, but for their tools. */
export function openAgents(): Pick<EnginePorts, 'schemas' | 'runtimes' | 'houseGraph'> {
  const loaded = new Map<string, Promise<AgentRuntime>>();
  return {
    schemas: createToolSchemas(),
    houseGraph: HOUSE_GRAPH,
    runtimes(name) {
      const runtime = loaded.get(name) ?? load(name);
      loaded.set(name, runtime);
      // What could not be loaded is tried again by the next run.
      runtime.catch(() => loaded.delete(name));
      return runtime;
    },
  };
}

async function load(name: Parameters<EnginePorts['runtimes']>[0]): Promise<AgentRuntime> {
  switch (name) {
    case 'supervisor':
      return (await import('../agents/supervisor.ts')).supervisor;
    case 'langgraph': {
      const { createLangGraphRuntime } = await import('../backends/runtimes/langgraph/index.ts');
      return createLangGraphRuntime();
    }
    case 'openai-agents': {
      const { createOpenAiAgentsRuntime } = await import('../backends/runtimes/openai-agents/index.ts');
      return createOpenAiAgentsRuntime();
    }
  }
}

/** Loads the modules that agents of the settings name, so that a server with one that is of no use, or loads for ever, does not start. */
export async function checkModules(
  { agents }: { readonly agents: Pick<Config['agents'], 'definitions'> },
  runtimes: EnginePorts['runtimes'],
  clock: Pick<Clock, 'after'> = systemClock,
): Promise<void> {
  for (const { name, definition } of agents.definitions) {
    const { runtime, module } = definition;
    if (runtime === 'loop' || module === null) continue;
    const { check } = await runtimes(runtime);
    await inTime(check?.(module), module, clock).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ConfigError(`The agent ${name} of the settings cannot be used: ${reason}`);
    });
  }
}

/** A module may wait for something that never comes, and nothing else would ever be said of it. */
async function inTime(loading: Promise<void> | undefined, module: string, { after }: Pick<Clock, 'after'>): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const cancel = after(LOAD_MS, () => reject(new Error(`${module} was not loaded within ${LOAD_MS / 1000} seconds`)));
  await Promise.race([loading, late]).finally(cancel);
}

/** Stores the agents of server and settings, each as a new version where it has changed, and removes those that are named no longer. */
export async function saveAgents({ agents }: Config, store: AgentStore): Promise<void> {
  const byName = new Map<string, AgentConfig>([...shippedAgents, ...agents.definitions].map((agent) => [agent.name, agent]));
  if (agents.default !== null && !byName.has(agents.default)) {
    throw new ConfigError(`agents.default must be one of ${[...byName.keys()].toSorted().join(', ')}, not "${agents.default}".`);
  }
  for (const { name, definition } of byName.values()) {
    const id = v5(name, NAMESPACE) as AgentId;
    const saved = await store.saveAgent({ applicationId: null, id, name, definition, now: systemClock.now() });
    if (typeof saved === 'string') throw new Error(`The agent ${name} cannot be stored: ${saved}`);
  }
  for (const agent of await storedAgents(store)) if (!byName.has(agent.name)) await store.deleteAgent(null, agent.id);
}

async function storedAgents(store: AgentStore): ReturnType<AgentStore['listAgents']> {
  const stored = [];
  for (;;) {
    const page = await store.listAgents(null, { limit: AGENTS_PER_PAGE, after: stored.at(-1)?.name ?? null });
    stored.push(...page);
    if (page.length < AGENTS_PER_PAGE) return stored;
  }
}
