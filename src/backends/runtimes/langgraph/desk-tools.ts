import { createHash } from 'node:crypto';
import { ToolMessage } from '@langchain/core/messages';
import type { ToolCall } from '@langchain/core/messages/tool';
import { ensureConfig, type RunnableConfig } from '@langchain/core/runnables';
import { StructuredTool } from '@langchain/core/tools';
import { GraphInterrupt } from '@langchain/langgraph';
import type { ToolAnswer, ToolDesk, ToolRequest } from '../../../core/ports/agent-runtime.ts';
import type { JsonObject } from '../../../core/thread.ts';
import type { ToolDefinition } from '../../../core/tool.ts';
import { stepOf } from './step.ts';

/** The calls that a graph makes at its run's desk. */
export interface DeskCalls {
  readonly tools: readonly DeskTool[];
  /** Whether a call waits for a person, so that the run has to. */
  readonly waiting: boolean;
  /** Resolves when no call is under way. */
  settled(): Promise<void>;
}

type Call = (request: ToolRequest) => Promise<ToolAnswer>;

/** LangChain's tools, each called at the run's desk and nowhere else. */
export function createDeskCalls(desk: ToolDesk): DeskCalls {
  const underWay = new Set<Promise<unknown>>();
  const callIds = createCallIds();
  let waiting = false;

  async function call(request: ToolRequest): Promise<ToolAnswer> {
    const calling = desk.call([request]);
    underWay.add(calling);
    const answers = await calling.finally(() => underWay.delete(calling));
    if (answers === 'waiting') {
      waiting = true;
      // Stops the node without a question of its own: it runs again when the call is decided.
      throw new GraphInterrupt([]);
    }
    const [answer] = answers;
    if (!answer) throw new Error('The desk left a request without an answer');
    return answer;
  }

  return {
    tools: desk.tools.map((definition) => new DeskTool(definition, call, callIds)),
    get waiting() {
      return waiting;
    },
    async settled() {
      await Promise.allSettled(underWay);
    },
  };
}

class DeskTool extends StructuredTool {
  readonly name: string;
  readonly description: string;
  readonly schema: JsonObject;
  private readonly callDesk: Call;
  private readonly callIds: CallIds;

  constructor({ name, description, parameters }: ToolDefinition, callDesk: Call, callIds: CallIds) {
    super();
    this.name = name;
    this.description = description;
    this.schema = parameters;
    this.callDesk = callDesk;
    this.callIds = callIds;
  }

  /** The desk checks the arguments: LangChain's own check is left out. */
  override async invoke(input: unknown, options?: RunnableConfig): Promise<ToolMessage | string> {
    if (isToolCall(input)) {
      const { call_id, status, result } = await this.ask(input.id ?? this.callIds.next(options, this.name), input.args);
      const content = result;
      return new ToolMessage({
        content,
        tool_call_id: input.id ?? call_id,
        name: this.name,
        status: status === 'completed' ? 'success' : 'error',
      });
    }
    const { result } = await this.ask(this.callIds.next(options, this.name), input);
    return result;
  }

  protected override async _call(args: unknown): Promise<string> {
    return (await this.ask(this.callIds.next(undefined, this.name), args)).result;
  }

  private ask(call_id: string, args: unknown): Promise<ToolAnswer> {
    return this.callDesk({ call_id, name: this.name, arguments: JSON.stringify(args) ?? 'null' });
  }
}

function isToolCall(input: unknown): input is ToolCall {
  return typeof input === 'object' && input !== null && 'type' in input && input.type === 'tool_call' && 'args' in input;
}

interface CallIds {
  next(config: RunnableConfig | undefined, tool: string): string;
}

/** Ids for calls that no model made: the same when a step is run again, since its place in the graph is. */
function createCallIds(): CallIds {
  const counts = new Map<string, number>();
  return {
    next(config, tool) {
      const key = `${stepOf(ensureConfig(config))?.id ?? ''} ${tool}`;
      const count = counts.get(key) ?? 0;
      counts.set(key, count + 1);
      return `step_${createHash('sha256').update(`${key} ${count}`).digest('hex').slice(0, 32)}`;
    },
  };
}
