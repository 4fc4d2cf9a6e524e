import type { AgentId } from '../../core/ids.ts';
import type { AgentStore } from '../../core/ports/agent-store.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Tool } from '../../core/ports/tool.ts';
import type { ToolSchemas } from '../../core/ports/tool-schemas.ts';
import type { ToolDefinition, ToolPin } from '../../core/tool.ts';
import type { ComparedTool, CompareTools } from './toolbox.ts';

/** Agents whose trust is remembered. */
const MAX_AGENTS = 500;

type Pins = ReadonlyMap<string, ToolPin>;

interface TrustPorts {
  readonly store: Pick<AgentStore, 'toolPins' | 'pinTools'>;
  readonly schemas: ToolSchemas;
  readonly clock: Pick<Clock, 'now'>;
}

/** Compares tools with what agents trust. The store is asked only about what was not trusted when it was asked last. */
export function createTrust(ports: TrustPorts): CompareTools {
  const remembered = new Map<AgentId, Pins>();

  async function pinsFor(id: AgentId, seen: readonly ToolPin[]): Promise<Pins> {
    const known = remembered.get(id);
    if (known && seen.every(({ tool, digest }) => known.get(tool)?.digest === digest)) return known;
    const pins = await trustNew(ports, id, seen);
    remembered.delete(id);
    remembered.set(id, pins);
    for (const oldest of remembered.keys()) if (remembered.size > MAX_AGENTS) remembered.delete(oldest);
    return pins;
  }

  return async ({ id }, found) => {
    const pinned = [...found.values()].map((tool) => ({ tool, pin: pinOf(ports.schemas, tool) }));
    const pins = await pinsFor(
      id,
      pinned.map(({ pin }) => pin),
    );
    return new Map(pinned.map(({ tool, pin }) => [tool.name, offer(tool, pin, pins.get(tool.name))]));
  };
}

function pinOf({ digest }: ToolSchemas, tool: Tool): ToolPin {
  return { tool: tool.name, digest: digest(tool), definition: definitionOf(tool) };
}

/** Nobody has ever trusted a tool's change without having been asked. */
function offer(tool: Tool, { digest, definition: after }: ToolPin, trusted: ToolPin | undefined): ComparedTool {
  if (trusted === undefined || trusted.digest === digest) return { tool, offered: after, change: null };
  const { definition: before } = trusted;
  return { tool, offered: before, change: { before, after } };
}

/** What the agent trusts once it has seen these; another run may have seen one of them first, and otherwise. */
async function trustNew({ store, clock }: TrustPorts, agentId: AgentId, seen: readonly ToolPin[]): Promise<Pins> {
  const read = async () => new Map((await store.toolPins(agentId)).map((pin) => [pin.tool, pin]));
  const known = await read();
  const pins = seen.filter(({ tool }) => !known.has(tool));
  if (pins.length === 0) return known;
  await store.pinTools({ agentId, pins, onlyNew: true, now: clock.now() });
  return read();
}

/** What a tool says of itself, without what makes its calls. */
export function definitionOf({ name, description, parameters, readOnly }: ToolDefinition): ToolDefinition {
  return { name, description, parameters, readOnly };
}
