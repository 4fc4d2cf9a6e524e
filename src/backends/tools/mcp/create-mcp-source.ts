import type { CallToolResult, Tool as McpTool } from '@modelcontextprotocol/client';
import type { Clock } from '../../../core/ports/clock.ts';
import type { OutgoingFetch } from '../../../core/ports/egress.ts';
import { type Tool, type ToolContext, ToolError, type ToolOutcome, type ToolSource } from '../../../core/ports/tool.ts';
import type { JsonObject } from '../../../core/thread.ts';
import { abortable } from './abortable.ts';
import { callTask } from './call-task.ts';
import { textOfResult } from './content.ts';
import type { McpLog } from './error-output.ts';
import { type Connection, openConnection } from './open-connection.ts';
import { createReconnecting } from './reconnecting.ts';
import { createRedact } from './redact.ts';
import { createRequests } from './requests.ts';
import { type McpServer, secretsOf } from './settings.ts';
import { describeTools } from './tool-definitions.ts';

const LIST_MS = 30_000;
/** Whoever calls bounds the time; this only ends what everybody has forgotten. */
const LONGEST_CALL_MS = 15 * 60_000;
/** Not every server tells when its tools change. */
const LIST_AGE_MS = 5 * 60_000;

export interface McpOptions {
  /** For the servers that are reached over HTTP. */
  readonly fetch: OutgoingFetch;
  readonly clock: Pick<Clock, 'elapsed' | 'after' | 'sleep'>;
  readonly log: McpLog;
}

interface Listed {
  readonly connection: Connection;
  readonly at: number;
  readonly tools: Promise<readonly Tool[]>;
}

/** A tool by its server's name of it. */
interface Called {
  readonly name: string;
  readonly asTask: boolean;
}

/** The tools of one MCP server over one connection, which is opened when tools are first asked for and again whenever it is lost. */
export function createMcpSource(server: McpServer, { fetch, clock, log }: McpOptions): ToolSource {
  const redact = createRedact(secretsOf(server));
  let listed: Listed | null = null;
  const onChanged = () => {
    listed = null;
  };
  const connections = createReconnecting({
    clock,
    open: (signal) => openConnection(server, { fetch, clock, log, redact, signal, onChanged }),
    onFailure: (error) =>
      log.warn({ server: server.name, problem: redact(String(error)).slice(0, 500) }, 'an MCP server cannot be reached'),
  });

  const ask = createRequests(connections, redact);

  /** Everybody who asks gets the same tools, until there are others. */
  function toolsOf(connection: Connection): Promise<readonly Tool[]> {
    if (listed?.connection === connection && clock.elapsed() - listed.at < LIST_AGE_MS) return listed.tools;
    const tools = connection.client.listTools(undefined, { timeout: LIST_MS, cacheMode: 'refresh' }).then((list) => described(list.tools));
    const fresh = { connection, at: clock.elapsed(), tools };
    listed = fresh;
    tools.catch(() => {
      if (listed === fresh) listed = null;
    });
    return tools;
  }

  function described(tools: readonly McpTool[]): readonly Tool[] {
    return describeTools(server.name, tools, redact).map(
      ({ own, asTask, definition }): Tool => ({ ...definition, call: (args, context) => call({ name: own, asTask }, args, context) }),
    );
  }

  function plainCall(name: string, args: JsonObject, { signal, progress }: ToolContext): Promise<CallToolResult> {
    const options = { signal, onprogress: progress, timeout: LONGEST_CALL_MS, maxTotalTimeout: LONGEST_CALL_MS };
    return ask(signal, ({ client }) => client.callTool({ name, arguments: { ...args } }, options));
  }

  async function call({ name, asTask }: Called, args: JsonObject, context: ToolContext): Promise<ToolOutcome> {
    const { signal } = context;
    try {
      const task = { ask, clock, ttlMs: LONGEST_CALL_MS };
      const result = await (asTask ? callTask(task, { name, args }, context) : plainCall(name, args, context));
      return { status: result.isError === true ? 'failed' : 'completed', result: redact(textOfResult(result)) };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ToolError) return { status: 'failed', result: error.message };
      throw error;
    }
  }

  return {
    name: server.name,
    applications: server.applications,
    list: (signal) => ask(signal, (connection) => abortable(toolsOf(connection), signal)),
    close: connections.close,
  };
}
