import { expect, test } from 'vitest';
import { stdioServer } from '../../../test/support/mcp-tool-server.ts';
import { loadConfig } from '../../config.ts';
import { examineTools } from './tools.ts';

test('each MCP server is tried: how many tools it has, or what to do', async () => {
  const mcp = { good: stdioServer, bad: { command: '/nonexistent/command' } };
  const config = loadConfig({ env: {}, cwd: '/', readFile: () => JSON.stringify({ version: 1, mcp }) });
  expect(await examineTools(config, new AbortController().signal)).toEqual([
    { level: 'ok', subject: 'mcp', message: expect.stringMatching(/^The MCP server "good" has \d\d tools\.$/), advice: null },
    {
      level: 'warn',
      subject: 'mcp',
      message: 'The MCP server "bad" cannot be reached: agents go without its tools.',
      advice: expect.stringContaining('under "mcp"'),
    },
  ]);
});

test('without any there is nothing to say', async () => {
  const config = loadConfig({ env: {}, cwd: '/', readFile: () => null });
  expect(await examineTools(config, new AbortController().signal)).toEqual([]);
});
