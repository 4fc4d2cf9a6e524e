import { Agent, tool } from '@openai/agents';
import { z } from 'zod';

const orders = new Map([
  ['1001', 'shipped on Monday'],
  ['1002', 'still in the warehouse'],
]);

const findOrder = tool({
  name: 'find_order',
  description: 'Tells where an order is.',
  parameters: z.object({ order: z.string() }),
  execute: async ({ order }) => `Order ${order}: ${orders.get(order) ?? 'unknown'}`,
});

const cancelOrder = tool({
  name: 'cancel_order',
  description: 'Cancels an order for good.',
  parameters: z.object({ order: z.string() }),
  needsApproval: true,
  execute: async ({ order }) => (orders.delete(order) ? `Order ${order} is cancelled` : `There is no order ${order}`),
});

const orderDesk = new Agent({
  name: 'orders',
  handoffDescription: 'Knows everything about orders.',
  instructions: 'Answer questions about orders. Use your tools, and never guess.',
  tools: [findOrder, cancelOrder],
});

export const agent = new Agent({
  name: 'reception',
  instructions: 'You are the first to answer. Hand questions about orders over to the order desk.',
  handoffs: [orderDesk],
});
