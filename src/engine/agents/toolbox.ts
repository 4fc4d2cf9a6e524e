import type { Agent, ApprovalRule } from '../../core/agent.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Observer } from '../../core/ports/observer.ts';
import { type Tool, ToolError, type ToolSource } from '../../core/ports/tool.ts';
import type { ToolDefinition } from '../../core/tool.ts';
import { lists, mayUse, ruleFor } from './tool-rules.ts';

const LEGAL_NAME = /^[A-Za-z0-9_-]{1,64}$/;
/** How long a source may take to say what it has. */
const LIST_MS = 15_000;

/** The definition that an agent trusts, and the one that the tool has now. */
export interface ToolChange {
  readonly before: ToolDefinition;
  readonly after: ToolDefinition;
}

/** A tool beside what the agent trusts of it. */
export interface ComparedTool {
  readonly tool: Tool;
  /** What the model is told: as it was trusted, whatever the tool says of itself now. */
  readonly offered: ToolDefinition;
  readonly change: ToolChange | null;
}

/** A tool that a run may call, and what its agent's rules say of that. */
export interface OfferedTool extends ComparedTool {
  readonly rule: ApprovalRule;
}

/** The tools of an agent, by name. */
export interface Toolbox {
  readonly tools: ReadonlyMap<string, OfferedTool>;
  /** Why a tool that the agent lists is not among them, in words for a model; null when there is no such tool. */
  missing(name: string): string | null;
}

/** Compares what is there with what the agent trusts; what it sees for the first time, it trusts. */
export type CompareTools = (agent: Agent, found: ReadonlyMap<string, Tool>) => Promise<ReadonlyMap<string, ComparedTool>>;

export interface ToolboxPorts {
  readonly sources: readonly ToolSource[];
  readonly trusted: CompareTools;
  readonly clock: Clock;
  readonly observer: Pick<Observer, 'faulted'>;
}

interface Listing {
  readonly source: ToolSource;
  readonly tools: readonly Tool[];
  /** Why there are none. */
  readonly failure: string | null;
}

/**
 * Asks the sources that an agent names for its tools, and trusts those that it sees for the first time. A source that cannot be reached has
 * none. Rejects with the signal's reason.
 */
export async function openToolbox(ports: ToolboxPorts, agent: Agent, signal: AbortSignal): Promise<Toolbox> {
  const named = ports.sources.filter((source) => mayUse(agent, source));
  const listings = await Promise.all(named.map((source) => listing(ports, source, signal)));
  signal.throwIfAborted();
  const found = new Map<string, Tool>();
  const rules = new Map<string, ApprovalRule>();
  for (const { source, tools } of listings) {
    for (const tool of tools) {
      const fits = LEGAL_NAME.test(tool.name) && !found.has(tool.name) && lists(agent, tool, source.name);
      const rule = ruleFor(agent, tool, source.name);
      if (!fits || rule === 'deny') continue;
      found.set(tool.name, tool);
      rules.set(tool.name, rule);
    }
  }
  const compared = found.size === 0 ? [] : [...(await ports.trusted(agent, found))];
  const failed = listings.filter(({ failure }) => failure !== null);
  return {
    tools: new Map(compared.map(([name, tool]) => [name, { ...tool, rule: rules.get(name) ?? 'ask' }])),
    missing: (name) => failed.find(({ source }) => mayUse({ tools: [name] }, source) && mayUse(agent, source))?.failure ?? null,
  };
}

async function listing({ clock, observer }: ToolboxPorts, source: ToolSource, signal: AbortSignal): Promise<Listing> {
  const late = new AbortController();
  const cancelTimeout = clock.after(LIST_MS, () => late.abort());
  try {
    return { source, tools: await source.list(AbortSignal.any([signal, late.signal])), failure: null };
  } catch (error) {
    if (signal.aborted) throw error;
    const words = error instanceof ToolError ? error.message : 'it cannot be reached now';
    if (!(error instanceof ToolError || late.signal.aborted)) observer.faulted('tool source', error);
    return { source, tools: [], failure: words };
  } finally {
    cancelTimeout();
  }
}
