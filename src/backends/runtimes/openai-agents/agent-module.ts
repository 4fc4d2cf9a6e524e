import { Agent, type RunContext } from '@openai/agents';
import { loadExport } from '../load-export.ts';
import { gated, type OwnTool, offered, runOf } from './gated-tools.ts';

/** An agent of the SDK that answers with text. */
export type SdkAgent = Agent<unknown, 'text'>;

/** An agent of the SDK with all that it may hand over to. */
export interface LoadedAgent {
  readonly agent: SdkAgent;
  /** The functions that the agents bring themselves, by name. */
  readonly own: ReadonlyMap<string, OwnTool>;
}

/** The agents whose tools are behind the gate, with those tools as they were. */
const originals = new WeakMap<SdkAgent, readonly OwnTool[]>();

/** Loads the agent of a module and puts every tool that it or another can call behind the runs' desks. */
export async function loadAgent(module: string): Promise<LoadedAgent> {
  const agent = await loadExport({ module, name: 'agent' });
  if (!isAgent(agent)) throw new Error(`${module} exports no agent of @openai/agents: "agent" must be an Agent`);
  const own = new Map<string, OwnTool>();
  for (const one of reachable(agent)) {
    for (const tool of toolsOf(module, one)) {
      const other = own.get(tool.name);
      if (other && other !== tool) throw new Error(`${module} has two tools named ${tool.name}`);
      own.set(tool.name, tool);
    }
  }
  for (const one of reachable(agent)) gate(one, new Set(own.keys()));
  return { agent, own };
}

/** A class of another copy of the package will do, as long as it is called the same and runs the same. */
function isAgent(value: unknown): value is SdkAgent {
  return value instanceof Agent || (typeof value === 'object' && value !== null && 'getAllTools' in value && 'handoffs' in value);
}

function reachable(first: SdkAgent): readonly SdkAgent[] {
  const found = new Set<SdkAgent>([first]);
  for (const { handoffs } of found) {
    for (const handoff of handoffs) found.add(isAgent(handoff) ? handoff : handoff.agent);
  }
  return [...found];
}

function toolsOf(module: string, agent: SdkAgent): readonly OwnTool[] {
  const known = originals.get(agent);
  if (known) return known;
  if (agent.mcpServers.length > 0)
    throw new Error(`${module}: the agent ${agent.name} has MCP servers; name them in the settings of this server`);
  const tools = agent.tools.map((tool) => {
    if (tool.type !== 'function')
      throw new Error(`${module}: the tool ${tool.name} runs at OpenAI or on this machine, which is not supported`);
    if ('on' in tool) throw new Error(`${module}: the tool ${tool.name} is an agent; hand over to it instead`);
    return tool as OwnTool;
  });
  originals.set(agent, tools);
  return tools;
}

function gate(agent: SdkAgent, everyOwn: ReadonlySet<string>): void {
  const own = (originals.get(agent) ?? []).map(gated);
  agent.tools = own;
  agent.getAllTools = async (context: RunContext<unknown>) => offered(own, everyOwn, runOf(context));
}
