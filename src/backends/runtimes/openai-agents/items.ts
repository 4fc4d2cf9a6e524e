import type { AgentInputItem, ModelRequest as SdkRequest } from '@openai/agents';
import { type Part, textOf } from '../../../core/message.ts';
import type { PromptMessage } from '../../../core/ports/model-provider.ts';
import type { ToolDefinition } from '../../../core/tool.ts';

/** A conversation in the SDK's form. */
export function toItems(messages: readonly PromptMessage[]): AgentInputItem[] {
  return messages.flatMap(itemsOf);
}

function itemsOf({ role, parts }: PromptMessage): AgentInputItem[] {
  switch (role) {
    case 'system':
      return [{ type: 'message', role, content: textOf(parts) }];
    case 'user':
      return [{ type: 'message', role, content: textOf(parts) }];
    case 'assistant':
      return [...spoken(textOf(parts)), ...parts.flatMap(callItem)];
    case 'tool':
      return parts.flatMap(resultItem);
  }
}

function spoken(text: string): AgentInputItem[] {
  return text === '' ? [] : [{ type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text }] }];
}

function callItem(part: Part): AgentInputItem[] {
  if (part.type !== 'tool_call') return [];
  const { call_id: callId, name, arguments: json } = part;
  return [{ type: 'function_call', callId, name, arguments: json, status: 'completed' }];
}

function resultItem(part: Part): AgentInputItem[] {
  if (part.type !== 'tool_result') return [];
  const { call_id: callId, name, result } = part;
  return [{ type: 'function_call_result', callId, name, status: 'completed', output: { type: 'text', text: result } }];
}

/** What the SDK would send, in the order that providers take: all instructions in one message at the beginning. */
export function fromSdk({ systemInstructions, input }: Pick<SdkRequest, 'systemInstructions' | 'input'>): PromptMessage[] {
  const items: readonly AgentInputItem[] = typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : input;
  const instructions = items.flatMap((item) => ('role' in item && item.role === 'system' ? [item.content] : []));
  const system = [...instructions, systemInstructions ?? ''].filter((text) => text !== '').join('\n\n');
  const others = items.flatMap(messageOf);
  return system === '' ? others : [{ role: 'system', parts: [{ type: 'text', text: system }] }, ...joined(others)];
}

function messageOf(item: AgentInputItem): PromptMessage[] {
  if (item.type === 'function_call') {
    const { callId, name, arguments: json } = item;
    return [{ role: 'assistant', parts: [{ type: 'tool_call', call_id: callId, name, arguments: json }] }];
  }
  if (item.type === 'function_call_result') {
    const { callId, name, output } = item;
    return [{ role: 'tool', parts: [{ type: 'tool_result', call_id: callId, name, status: 'completed', result: textIn(output) }] }];
  }
  if (!('role' in item) || item.role === 'system') return [];
  const { role, content } = item;
  return [{ role, parts: [{ type: 'text', text: textIn(content) }] }];
}

/** The text in whatever form the SDK has it. */
function textIn(content: unknown): string {
  if (typeof content === 'string') return content;
  if (Array.isArray(content)) return content.map(textIn).join('');
  return typeof content === 'object' && content !== null && 'text' in content && typeof content.text === 'string' ? content.text : '';
}

/** Calls that the SDK lists one by one belong to one message. */
function joined(messages: readonly PromptMessage[]): PromptMessage[] {
  const all: PromptMessage[] = [];
  for (const message of messages) {
    const last = all.at(-1);
    if (last?.role === 'assistant' && message.role === 'assistant')
      all[all.length - 1] = { ...last, parts: [...last.parts, ...message.parts] };
    else all.push(message);
  }
  return all;
}

/** What the model may call: functions and handoffs. */
export function definitionsIn({ tools, handoffs }: Pick<SdkRequest, 'tools' | 'handoffs'>): ToolDefinition[] {
  const functions = tools.flatMap((tool) => (tool.type === 'function' ? [tool] : []));
  return [
    ...functions.map(({ name, description, parameters }) => ({ name, description, parameters: plain(parameters), readOnly: false })),
    ...handoffs.map(({ toolName, toolDescription, inputJsonSchema }) => {
      return { name: toolName, description: toolDescription, parameters: plain(inputJsonSchema), readOnly: false };
    }),
  ];
}

function plain(schema: object): ToolDefinition['parameters'] {
  return JSON.parse(JSON.stringify(schema));
}
