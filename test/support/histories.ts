import fc from 'fast-check';
import type { MessageId, ThreadId } from '../../src/core/ids.ts';
import type { Message, MessageStatus, Part, Role } from '../../src/core/message.ts';

/** A stored message of which only role, parts and status matter. */
export function message(role: Role, parts: readonly Part[], status: MessageStatus = 'completed'): Message {
  return {
    id: 'm' as MessageId,
    threadId: 't' as ThreadId,
    seq: 1,
    parentId: null,
    role,
    status,
    parts,
    runId: null,
    model: null,
    usage: null,
    createdAt: 0,
  };
}

const words = fc.constantFrom('', ' ', '\n\t', 'hi', 'ok ', ' 👋', '\ud83d', '\udc4b', 'two\nlines', 'x'.repeat(400));
const callId = fc.constantFrom('', 'a', 'b', 'c', 'call_1', 'call_2', 'toolu:1', 'y'.repeat(60));
const name = fc.constantFrom('search', 'mcp.read/file', '', 'n'.repeat(80));
const notes = fc.constantFrom({ anthropic: { signature: 's' } }, { openai: 1, other: 2 });

const part: fc.Arbitrary<Part> = fc.oneof(
  fc.record({ type: fc.constant('text' as const), text: words, provider: notes }, { requiredKeys: ['type', 'text'] }),
  fc.record({ type: fc.constant('reasoning' as const), text: words, provider: notes }, { requiredKeys: ['type', 'text'] }),
  fc.record(
    {
      type: fc.constant('tool_call' as const),
      call_id: callId,
      name,
      arguments: fc.constantFrom('', '{}', '{"a":1}', '[1]', 'null', '{"a":', '"\ud800"', '{"\ud800":1}'),
      provider: notes,
    },
    { requiredKeys: ['type', 'call_id', 'name', 'arguments'] },
  ),
  fc.record({
    type: fc.constant('tool_result' as const),
    call_id: callId,
    name,
    status: fc.constantFrom('completed', 'failed', 'cancelled', 'denied'),
    result: words,
  }),
  fc.record({ type: fc.constant('error' as const), code: fc.constant('run_failed'), detail: words }),
);

/** Histories of any shape that a store could hold, most of them wrong in some way. */
export const anyHistory: fc.Arbitrary<readonly Message[]> = fc.array(
  fc
    .tuple(
      fc.constantFrom<Role>('user', 'assistant'),
      fc.array(part, { maxLength: 7 }),
      fc.constantFrom<MessageStatus>('completed', 'failed', 'cancelled'),
    )
    .map(([role, parts, status]) => message(role, parts, status)),
  { maxLength: 8 },
);
