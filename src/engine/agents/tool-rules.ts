import type { AgentDefinition, ApprovalRule } from '../../core/agent.ts';
import type { Tool, ToolSource } from '../../core/ports/tool.ts';
import type { ToolDefinition } from '../../core/tool.ts';

/** The source whose tools have no prefix. */
const BUILT_IN = 'builtin';
const ALL = '/*';

type Lists = Pick<AgentDefinition, 'tools'>;

/** Whether the agent may list something of a source, so that it has to be asked. */
export function mayUse({ tools }: Lists, { name }: Pick<ToolSource, 'name'>): boolean {
  if (tools.includes(name + ALL)) return true;
  if (name !== BUILT_IN) return tools.some((listed) => listed.startsWith(`${name}_`));
  return tools.some((listed) => !listed.endsWith(ALL));
}

/** Whether the agent lists a tool; `source` is null for one that its own module brings. */
export function lists({ tools }: Lists, tool: Pick<Tool, 'name'>, source: string | null): boolean {
  return tools.includes(tool.name) || (source !== null && tools.includes(source + ALL));
}

/** What the first rule that fits says of a tool of a source, null as in `lists`; without one, those that only read are allowed and all others ask. */
export function ruleFor(
  { rules }: Pick<AgentDefinition, 'rules'>,
  { name, readOnly }: Pick<ToolDefinition, 'name' | 'readOnly'>,
  source: string | null,
): ApprovalRule {
  const fitting = rules.find(({ tool }) => fits(tool, name) || (source !== null && tool === source + ALL));
  return fitting?.rule ?? (readOnly ? 'allow' : 'ask');
}

function fits(pattern: string, name: string): boolean {
  if (pattern.endsWith(ALL)) return name.startsWith(`${pattern.slice(0, -ALL.length)}_`);
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}
