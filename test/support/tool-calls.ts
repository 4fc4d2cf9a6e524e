import type { RunId, ThreadId } from '../../src/core/ids.ts';
import { DEFAULT_APPLICATION } from '../../src/core/ids.ts';
import type { Tool, ToolContext, ToolOutcome } from '../../src/core/ports/tool.ts';
import type { JsonObject } from '../../src/core/thread.ts';

/** What a tool is told of the call, for a user who has nothing. */
function toolContext(context: Partial<ToolContext> = {}): ToolContext {
  return {
    owner: { applicationId: DEFAULT_APPLICATION, userId: 'ada' },
    threadId: 'thread' as ThreadId,
    runId: 'run' as RunId,
    signal: new AbortController().signal,
    progress: () => {},
    ...context,
  };
}

/** Calls the tool of this name. */
export function callTool(
  tools: readonly Tool[],
  name: string,
  { args = {}, ...context }: Partial<ToolContext> & { readonly args?: JsonObject } = {},
): Promise<ToolOutcome> {
  const tool = tools.find((known) => known.name === name);
  if (tool === undefined) throw new Error(`no tool ${name} among ${tools.map((known) => known.name).join(', ')}`);
  return tool.call(args, toolContext(context));
}
