import { randomInt } from 'node:crypto';
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';

serveStdio(() => {
  const server = new McpServer({ name: 'dice', version: '1.0.0' });
  server.registerTool(
    'roll',
    {
      description: 'Rolls dice and tells what each shows and their sum.',
      inputSchema: z.object({
        dice: z.int().min(1).max(100).describe('How many dice.'),
        sides: z.int().min(2).max(1_000).optional().describe('Sides of each; 6 without it.'),
      }),
      // Nothing is changed by it: no approval is needed.
      annotations: { readOnlyHint: true },
    },
    ({ dice, sides = 6 }) => {
      const rolled = Array.from({ length: dice }, () => randomInt(1, sides + 1));
      return { content: [{ type: 'text', text: `${rolled.join(' + ')} = ${rolled.reduce((sum, value) => sum + value, 0)}` }] };
    },
  );
  return server;
});
