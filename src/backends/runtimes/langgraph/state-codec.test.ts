import { AIMessage, HumanMessage, isBaseMessage, RemoveMessage, SystemMessage, ToolMessage } from '@langchain/core/messages';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeState, encodeState } from './state-codec.ts';

const again = (value: unknown) => decodeState(encodeState(value));

describe('a state that was stored', () => {
  it('is the same, whatever plain values it is made of', () => {
    const plain = fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: false, maxDepth: 4 });
    fc.assert(
      fc.property(plain, (value) => {
        expect(again(value)).toEqual(value);
      }),
    );
  });

  it.each(['$', '__proto__', 'constructor', 'lc', 'toString'])('keeps a field named %s', (key) => {
    const value: unknown = JSON.parse(`{${JSON.stringify(key)}:{"v":1,"$":"message"}}`);
    expect(JSON.stringify(again(value))).toBe(JSON.stringify(value));
    expect(Object.getPrototypeOf(again(value))).toBe(Object.prototype);
  });

  it('has its messages again', () => {
    const messages = [
      new SystemMessage('Be brief'),
      new HumanMessage({ content: [{ type: 'text', text: 'Hi' }], id: 'h' }),
      new AIMessage({ content: '', id: 'a', tool_calls: [{ id: 'c', name: 'n', args: { x: 1 }, type: 'tool_call' }] }),
      new ToolMessage({ content: 'r', tool_call_id: 'c', name: 'n', status: 'error' }),
      new RemoveMessage({ id: 'h' }),
    ];
    const restored = again({ messages }) as { messages: readonly unknown[] };
    expect(restored.messages.every(isBaseMessage)).toBe(true);
    expect(encodeState(restored)).toBe(encodeState({ messages }));
    expect(AIMessage.isInstance(restored.messages[2]) && restored.messages[2].tool_calls).toMatchObject([
      { id: 'c', name: 'n', args: { x: 1 } },
    ]);
  });

  it.each([
    [
      'a constructor of LangChain',
      { lc: 1, type: 'constructor', id: ['langchain_core', 'messages', 'AIMessage'], kwargs: { content: 'x' } },
    ],
    ['a secret of the environment', { lc: 1, type: 'secret', id: ['PATH'] }],
    ['a constructor of the older form', { lc: 2, type: 'constructor', id: ['Function'], method: null, args: ['return 1'], kwargs: {} }],
  ])('makes nothing of what looks like %s', (_, value) => {
    expect(again({ value })).toEqual({ value });
  });

  it('cannot contain itself', () => {
    const value: Record<string, unknown> = {};
    value.self = value;
    expect(() => encodeState(value)).toThrow('nested too deeply');
  });
});
