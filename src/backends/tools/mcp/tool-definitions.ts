import type { Tool as McpTool } from '@modelcontextprotocol/client';
import type { JsonObject } from '../../../core/thread.ts';
import type { ToolDefinition } from '../../../core/tool.ts';
import type { Redact } from './redact.ts';
import { toolNames } from './tool-names.ts';

/** More than any model is given to choose from. */
const MAX_TOOLS = 256;
const DESCRIPTION_CHARACTERS = 8_000;
const SCHEMA_CHARACTERS = 100_000;

/** A tool as a model is told of it, and the name that its server knows it by. */
interface DescribedTool {
  readonly own: string;
  /** Its server takes calls of it only as tasks. */
  readonly asTask: boolean;
  readonly definition: ToolDefinition;
}

/**
 * At most 256 of a server's tools, without those whose schema nobody could read and those whose name holds a secret; what a server calls read-only is believed.
 */
export function describeTools(server: string, tools: readonly McpTool[], redact: Redact): readonly DescribedTool[] {
  const usable = tools.filter((tool) => isUsable(tool) && redact(tool.name) === tool.name).slice(0, MAX_TOOLS);
  const names = toolNames(
    server,
    usable.map(({ name }) => name),
  );
  const described = new Map<string, DescribedTool>();
  for (const tool of usable) {
    const name = names.get(tool.name);
    // Of two with one name a server could mean either.
    if (name !== undefined && !described.has(tool.name))
      described.set(tool.name, {
        own: tool.name,
        asTask: tool.execution?.taskSupport === 'required',
        definition: definitionOf(name, tool, redact),
      });
  }
  return [...described.values()];
}

function isUsable({ inputSchema }: McpTool): boolean {
  return JSON.stringify(inputSchema).length <= SCHEMA_CHARACTERS;
}

function definitionOf(name: string, { title, description, inputSchema, annotations }: McpTool, redact: Redact): ToolDefinition {
  const told = description ?? title ?? annotations?.title ?? '';
  return {
    name,
    description: redact(told).slice(0, DESCRIPTION_CHARACTERS).toWellFormed(),
    parameters: JSON.parse(redact(JSON.stringify(inputSchema))) as JsonObject,
    readOnly: annotations?.readOnlyHint === true && annotations.destructiveHint !== true,
  };
}
