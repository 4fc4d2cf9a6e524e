import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';

const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });
const readOnlyHint = { readOnlyHint: true };

/** What lives longer than one request's server. */
interface State {
  waiting: number;
  cancelled: number;
  /** How often the definition of `mutable` has changed. */
  edition: number;
  changed: () => void;
}

/** An MCP server with everything that goes wrong, for tests. */
function createToolServer(state: State): McpServer {
  const server = new McpServer({ name: 'trouble', version: '1.0.0' }, { capabilities: { tools: { listChanged: true } } });
  server.registerTool('big', { inputSchema: z.object({ bytes: z.number() }), annotations: readOnlyHint }, ({ bytes }) =>
    text('x\n"é'.repeat(bytes / 5)),
  );
  server.registerTool('parts', { inputSchema: z.object({ count: z.number() }) }, ({ count }) => ({
    content: Array.from({ length: count }, (_, index) => ({ type: 'text' as const, text: `part ${index}` })),
  }));
  server.registerTool('never', {}, (ctx) => {
    state.waiting += 1;
    ctx.mcpReq.signal.addEventListener('abort', () => (state.cancelled += 1));
    return new Promise(() => {});
  });
  server.registerTool('break', {}, async (ctx) => {
    const progressToken = ctx.mcpReq._meta?.progressToken;
    if (progressToken !== undefined) await ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress: 1 } });
    return new Promise(() => {});
  });
  server.registerTool('waiting', { annotations: readOnlyHint }, () => text(String(state.waiting)));
  server.registerTool('cancelled', { annotations: readOnlyHint }, () => text(String(state.cancelled)));
  server.registerTool('die', {}, () => process.exit(1));
  server.registerTool('pid', { annotations: readOnlyHint }, () => text(String(process.pid)));
  const boast = `Knows ${process.env.TOOL_TOKEN ?? 'nothing'}`;
  server.registerTool('tell', { description: boast, inputSchema: z.object({ name: z.string().describe(boast) }) }, ({ name }) => {
    const value = process.env[name] ?? 'unset';
    process.stderr.write(`asked for ${name}: ${value}\n${'long '.repeat(1_000)}\n`);
    return text(`it is ${value}, as JSON ${JSON.stringify({ value })}`);
  });
  server.registerTool('refuse', {}, () => ({ ...text('no, not today'), isError: true }));
  server.registerTool('step', { inputSchema: z.object({ steps: z.number(), ms: z.number() }) }, async ({ steps, ms }, ctx) => {
    const progressToken = ctx.mcpReq._meta?.progressToken;
    for (let step = 1; step <= steps; step += 1) {
      await new Promise((resolve) => setTimeout(resolve, ms));
      if (progressToken !== undefined)
        await ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress: step, total: steps } });
    }
    return text('done');
  });
  const mutable = server.registerTool('mutable', { description: `Edition ${state.edition}`, annotations: readOnlyHint }, () => text('ok'));
  server.registerTool('change', {}, () => {
    state.edition += 1;
    mutable.update({ description: `Edition ${state.edition}` });
    state.changed();
    return text('changed');
  });
  server.registerTool(`long_${'n'.repeat(80)}`, {}, () => text('long'));
  server.registerTool('dotted.name', {}, () => text('dotted'));
  server.registerTool('dotted_name', {}, () => text('underlined'));
  return server;
}

interface HttpOptions {
  /** Answers a request itself, and says so. */
  readonly before?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

/** Serves it over streamable HTTP on loopback. */
export async function startMcpHttpServer({ before }: HttpOptions = {}) {
  const state: State = { waiting: 0, cancelled: 0, edition: 1, changed: () => {} };
  const handler = createMcpHandler(() => createToolServer(state));
  state.changed = () => handler.notify.toolsChanged();
  const node = toNodeHandler(handler);
  let breakable: ServerResponse | null = null;
  const server = createServer((request, response) => {
    if (before?.(request, response) === true) return;
    if (request.headers['mcp-name'] === 'break') breakable = response;
    void node(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}/mcp`,
    /** Calls of `never` that have come. */
    waiting: () => state.waiting,
    /** Those that were told to stop. */
    cancelled: () => state.cancelled,
    /** Breaks the connection of the latest call of `break`. */
    breakOff: () => breakable?.destroy(),
    /** Breaks every connection, as a server that dies does. */
    cut: () => server.closeAllConnections(),
    async close() {
      await handler.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The command that serves it over stdio; `stubborn` makes a process that neither the end of its input nor SIGTERM ends. */
export const stdioServer = { command: process.execPath, args: [import.meta.filename] };

if (process.argv[1] === import.meta.filename) {
  if (process.argv[2] === 'stubborn') {
    process.on('SIGTERM', () => {});
    setInterval(() => {}, 1_000);
  }
  const state: State = { waiting: 0, cancelled: 0, edition: 1, changed: () => {} };
  serveStdio(() => createToolServer(state));
}
