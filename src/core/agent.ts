import type { AgentId, ApplicationId } from './ids.ts';

/** What happens when a model asks for a tool. */
export type ApprovalRule = 'allow' | 'ask' | 'deny';

/** How a tool, or every tool whose name begins so, is treated. The first rule that fits counts. */
interface ToolRule {
  /** A tool's name; with `*` at its end every name that begins with what stands before it. */
  readonly tool: string;
  readonly rule: ApprovalRule;
}

/** What executes an agent's runs: the built-in tool loop, the built-in graph of a supervisor, or a module that a graph or an agent library runs. */
export type AgentRuntimeName = 'loop' | 'supervisor' | 'langgraph' | 'openai-agents';

/** What decides how an agent answers. A run keeps the version that it began with. */
export interface AgentDefinition {
  readonly description: string;
  readonly instructions: string;
  /** What an empty conversation shows; null for the server's own. */
  readonly greeting: string | null;
  /** The public name of the model; null for the thread's or the default one. */
  readonly model: string | null;
  readonly runtime: AgentRuntimeName;
  /** The file that exports the graph or agent, for the runtimes that load one; only configuration names it. */
  readonly module: string | null;
  /** Names of the tools that its runs may call, `<server>/*` for all of an MCP server. A run calls nothing else. */
  readonly tools: readonly string[];
  /** Rules before the default, which allows tools that only read and asks for all others. */
  readonly rules: readonly ToolRule[];
  /** Calls of the model that one run may make. */
  readonly stepLimit: number;
}

/** A stored version of an agent. `applicationId` is null for those of configuration, which every application sees. */
export interface Agent extends AgentDefinition {
  readonly id: AgentId;
  readonly applicationId: ApplicationId | null;
  readonly name: string;
  /** From 1; every change is a version. */
  readonly version: number;
  readonly createdAt: number;
}

/** Which version of which agent a run has. */
export type AgentPin = Pick<Agent, 'id' | 'name' | 'version'>;
