import { AIMessage, type BaseMessage, HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages';
import { type Part, type ToolResultStatus, textOf } from '../../../core/message.ts';
import type { PromptMessage } from '../../../core/ports/model-provider.ts';

/** How the messages that a graph is given are named, so that what it adds can be told from them. */
const GIVEN = 'given-';

export function isGiven({ id }: BaseMessage): boolean {
  return id?.startsWith(GIVEN) === true;
}

/** A conversation in LangChain's form. */
export function toLangChain(messages: readonly PromptMessage[]): BaseMessage[] {
  return messages.flatMap((message, index) => oneToLangChain(message, `${GIVEN}${index}`));
}

function oneToLangChain({ role, parts }: PromptMessage, id: string): readonly BaseMessage[] {
  switch (role) {
    case 'system':
      return [new SystemMessage({ content: textOf(parts), id })];
    case 'user':
      return [new HumanMessage({ content: textOf(parts), id })];
    case 'assistant':
      return [new AIMessage({ content: textOf(parts), tool_calls: callsIn(parts), id })];
    case 'tool':
      return parts.flatMap((part, place) => (part.type === 'tool_result' ? [resultMessage(part, `${id}-${place}`)] : []));
  }
}

function callsIn(parts: readonly Part[]) {
  return parts.flatMap((part) =>
    part.type === 'tool_call'
      ? [{ type: 'tool_call' as const, id: part.call_id, name: part.name, args: argumentsOf(part.arguments) ?? {} }]
      : [],
  );
}

function resultMessage(part: Extract<Part, { type: 'tool_result' }>, id: string): ToolMessage {
  const { call_id, name, status, result } = part;
  return new ToolMessage({ content: result, tool_call_id: call_id, name, status: status === 'completed' ? 'success' : 'error', id });
}

/** A call's arguments as an object, an empty one where there are none; null for text that is no object. */
export function argumentsOf(json: string): Record<string, unknown> | null {
  if (json.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** LangChain's messages in the order that providers take: all instructions in one message at the beginning. */
export function fromLangChain(messages: readonly BaseMessage[]): PromptMessage[] {
  const system = messages.filter((message) => message.getType() === 'system').map(({ text }) => text);
  const others = messages.flatMap((message) => oneFromLangChain(message));
  return system.length > 0 ? [{ role: 'system', parts: [textPart(system.join('\n\n'))] }, ...others] : others;
}

function oneFromLangChain(message: BaseMessage): readonly PromptMessage[] {
  const { text } = message;
  if (AIMessage.isInstance(message)) {
    const calls = (message.tool_calls ?? []).map(
      (call): Part => ({ type: 'tool_call', call_id: call.id ?? call.name, name: call.name, arguments: JSON.stringify(call.args) }),
    );
    const parts = text === '' ? calls : [textPart(text), ...calls];
    return parts.length > 0 ? [{ role: 'assistant', parts }] : [];
  }
  if (ToolMessage.isInstance(message)) {
    const status: ToolResultStatus = message.status === 'error' ? 'failed' : 'completed';
    const result: Part = { type: 'tool_result', call_id: message.tool_call_id, name: message.name ?? '', status, result: text };
    return [{ role: 'tool', parts: [result] }];
  }
  return message.getType() === 'system' ? [] : [{ role: 'user', parts: [textPart(text)] }];
}

function textPart(text: string): Part {
  return { type: 'text', text };
}
