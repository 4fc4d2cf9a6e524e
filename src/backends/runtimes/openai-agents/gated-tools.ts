import { type FunctionTool, RunContext } from '@openai/agents';
import type { ToolAnswer, ToolDesk } from '../../../core/ports/agent-runtime.ts';
import type { Tool } from '../../../core/ports/tool.ts';
import type { JsonObject } from '../../../core/thread.ts';

/** A function of the SDK, whatever its context and its arguments are. */
export type OwnTool = Omit<FunctionTool<unknown>, 'needsApproval'> & {
  needsApproval(context: RunContext<unknown>, args: unknown, callId?: string): Promise<boolean>;
};

/** What the tools of a run have to do with its desk. */
export interface GatedRun {
  readonly desk: ToolDesk;
  /** What the desk has answered, by the SDK's ids of the calls. */
  readonly answers: Map<string, ToolAnswer>;
}

/** The run that a context belongs to, so that one agent serves many runs at once. */
const runs = new WeakMap<object, GatedRun>();

/** Makes a context by which the tools find their run. */
export function contextOf(run: GatedRun): object {
  const context = {};
  runs.set(context, run);
  return context;
}

/** The run that the SDK works on. */
export function runOf({ context }: Pick<RunContext<unknown>, 'context'>): GatedRun {
  const run = typeof context === 'object' && context !== null ? runs.get(context) : undefined;
  if (!run) throw new Error('The agent was called outside of a run of this server');
  return run;
}

/** Stops at every call, so that the desk makes it, and then gives the SDK what the desk said. */
const gate = {
  needsApproval: async () => true,
  invoke: async (context: RunContext<unknown>, _input: string, details?: { readonly toolCall?: { readonly callId: string } }) => {
    const answer = runOf(context).answers.get(details?.toolCall?.callId ?? '');
    if (!answer) throw new Error('This call did not come from the desk of its run');
    return answer.result;
  },
};

/** The same tool to its model, but called at the desk. */
export function gated(tool: OwnTool): OwnTool {
  return { ...tool, ...gate };
}

/** What the model is told of in a run: all that its desk has, the agent's own functions with what the SDK knows of them. */
export function offered(own: readonly OwnTool[], everyOwn: ReadonlySet<string>, { desk }: GatedRun): OwnTool[] {
  const listed = new Set(desk.tools.map(({ name }) => name));
  const others = desk.tools.filter(({ name }) => !everyOwn.has(name));
  return [
    ...own.filter(({ name }) => listed.has(name)),
    ...others.map(({ name, description, parameters }): OwnTool => {
      return { type: 'function', name, description, parameters: schemaOf(parameters), strict: false, isEnabled: async () => true, ...gate };
    }),
  ];
}

function schemaOf(parameters: JsonObject): OwnTool['parameters'] {
  return { type: 'object', properties: {}, required: [], additionalProperties: true, ...parameters };
}

/** A function of an agent as a tool that a desk can call. */
export function deskTool({ name, description, parameters, needsApproval, invoke }: OwnTool): Tool {
  return {
    name,
    description,
    parameters: JSON.parse(JSON.stringify(parameters)),
    readOnly: false,
    needsApproval: (args) => needsApproval(new RunContext(), args),
    async call(args, { signal }) {
      try {
        const result: unknown = await invoke(new RunContext(), JSON.stringify(args), { signal });
        return { status: 'completed', result: typeof result === 'string' ? result : (JSON.stringify(result) ?? '') };
      } catch {
        signal.throwIfAborted();
        return { status: 'failed', result: `The tool ${name} has failed` };
      }
    },
  };
}
