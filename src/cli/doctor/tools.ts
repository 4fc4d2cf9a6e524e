import { openMcpServers } from '../../app/tools.ts';
import { createLogger } from '../../backends/logger/create-logger.ts';
import type { Config } from '../../config.ts';
import type { ToolSource } from '../../core/ports/tool.ts';
import type { Finding } from '../../http/control-wire.ts';
import { ok, warn } from './finding.ts';

const PATIENCE_MS = 10_000;

/** Whether each MCP server can be reached, and how many tools it has. Connects anew, so that it tells what a start would find. */
export async function examineTools(config: Config, signal: AbortSignal): Promise<readonly Finding[]> {
  const sources = await openMcpServers(config, createLogger('silent'));
  const soon = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  try {
    return await Promise.all(sources.map((source) => examineSource(source, soon)));
  } finally {
    await Promise.all(sources.map((source) => source.close()));
  }
}

async function examineSource(source: ToolSource, signal: AbortSignal): Promise<Finding> {
  try {
    const tools = await source.list(signal);
    return ok('mcp', `The MCP server "${source.name}" has ${tools.length === 1 ? 'one tool' : `${tools.length} tools`}.`);
  } catch {
    const message = `The MCP server "${source.name}" cannot be reached: agents go without its tools.`;
    return warn('mcp', message, `Start it, or correct it under "mcp" in the settings; the log of a running server says more.`);
  }
}
