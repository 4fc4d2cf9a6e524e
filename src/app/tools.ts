import type { Logger } from 'pino';
import { systemClock } from '../backends/clock/system-clock.ts';
import { createBuiltInSource } from '../backends/tools/built-in/create-built-in-source.ts';
import type { McpServerConfig } from '../config/tools.ts';
import type { Config } from '../config.ts';
import type { Egress } from '../core/ports/egress.ts';
import type { PassageSearch } from '../core/ports/passage-search.ts';
import type { ToolSource } from '../core/ports/tool.ts';

/** Of a page that a model reads, after decompression. */
const PAGE_BYTES = 2 * 1024 * 1024;
const PAGE_MS = 20_000;
/** Of one answer of an MCP server: a result of 5 MB takes up to twice that as JSON. */
const MCP_BYTES = 16 * 1024 * 1024;

/** Where the tools of agents come from. */
interface OpenTools {
  readonly sources: readonly ToolSource[];
  close(): Promise<void>;
}

interface ToolPorts {
  readonly log: Logger;
  readonly search: PassageSearch;
}

/** The built-in tools and the MCP servers of the settings, of which each is connected when an agent first needs it. */
export async function openTools({ mcp, tools, egress }: Config, { log, search }: ToolPorts): Promise<OpenTools> {
  const pages = tools.httpFetch ? await openEgress({ allow: egress.allow, maxBytes: PAGE_BYTES, timeoutMs: PAGE_MS }) : null;
  const builtIn = createBuiltInSource({ clock: systemClock, search, fetch: pages?.fetch ?? null });
  const servers = await openMcpServers({ mcp, egress }, log);
  const opened = [builtIn, ...servers];
  return {
    sources: opened,
    async close() {
      await Promise.all(opened.map((source) => source.close()));
      await pages?.close();
    },
  };
}

/** The MCP servers of the settings. */
export function openMcpServers({ mcp, egress }: Pick<Config, 'mcp' | 'egress'>, log: Logger): Promise<readonly ToolSource[]> {
  return Promise.all(mcp.map((server) => openMcpServer(server, { log, allow: egress.allow })));
}

async function openMcpServer(server: McpServerConfig, { log, allow }: { log: Logger; allow: readonly string[] }): Promise<ToolSource> {
  const { createMcpSource } = await import('../backends/tools/mcp/create-mcp-source.ts');
  const egress = await openEgress({ allow: [...allow, ...ownPlaces(server)], maxBytes: MCP_BYTES, timeoutMs: null });
  const source = createMcpSource(server, { fetch: egress.fetch, clock: systemClock, log });
  return {
    ...source,
    async close() {
      await source.close();
      await egress.close();
    },
  };
}

/** Where the operator has said that the server and its authorization server are. */
function ownPlaces({ transport }: McpServerConfig): readonly string[] {
  if (transport.kind === 'stdio') return [];
  const urls = [transport.url, ...(transport.oauth === null ? [] : [transport.oauth.issuer])].map((url) => new URL(url));
  return urls.map(({ protocol, hostname, port }) => `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`);
}

async function openEgress(options: { allow: readonly string[]; maxBytes: number; timeoutMs: number | null }): Promise<Egress> {
  const { createEgress } = await import('../backends/egress/create-egress.ts');
  return createEgress({ ...options, clock: systemClock });
}
