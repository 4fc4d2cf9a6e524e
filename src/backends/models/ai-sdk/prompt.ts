import type {
  LanguageModelV4FunctionTool,
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4TextPart,
  LanguageModelV4ToolResultPart,
  SharedV4ProviderOptions,
} from '@ai-sdk/provider';
import type { Part, ProviderNotes } from '../../../core/message.ts';
import { textOf } from '../../../core/message.ts';
import type { PromptMessage } from '../../../core/ports/model-provider.ts';
import type { ToolDefinition } from '../../../core/tool.ts';
import { fieldsOf, parseJson } from '../upstream/json-fields.ts';

type AssistantPart = Extract<LanguageModelV4Message, { role: 'assistant' }>['content'][number];

/** How a provider's own remarks on parts are found and passed on. */
export interface NoteNames {
  /** The provider's name in the settings: where parts keep them. */
  readonly name: string;
  /** Where the SDK expects them. */
  readonly namespace: string;
}

/** The messages in the AI SDK's form: neighbouring results in one message, reasoning only where the provider itself signed it. */
export function promptOf(messages: readonly PromptMessage[], names: NoteNames): LanguageModelV4Prompt {
  const prompt: LanguageModelV4Prompt = [];
  for (const message of messages) {
    const last = prompt.at(-1);
    if (message.role === 'tool' && last?.role === 'tool') last.content.push(...resultsIn(message.parts));
    else prompt.push(messageOf(message, names));
  }
  return prompt;
}

function messageOf({ role, parts }: PromptMessage, names: NoteNames): LanguageModelV4Message {
  switch (role) {
    case 'system':
      return { role, content: textOf(parts) };
    case 'user':
      return { role, content: parts.flatMap((part): LanguageModelV4TextPart[] => (part.type === 'text' ? [textPart(part.text)] : [])) };
    case 'assistant':
      return { role, content: parts.flatMap((part) => assistantPart(part, names)) };
    case 'tool':
      return { role, content: resultsIn(parts) };
  }
}

function textPart(text: string): LanguageModelV4TextPart {
  return { type: 'text', text };
}

function assistantPart(part: Part, names: NoteNames): readonly AssistantPart[] {
  switch (part.type) {
    case 'text':
      return [{ ...textPart(part.text), ...noted(part.provider, names) }];
    case 'reasoning': {
      const notes = noted(part.provider, names);
      return 'providerOptions' in notes ? [{ type: 'reasoning', text: part.text, ...notes }] : [];
    }
    case 'tool_call': {
      const input = fieldsOf(parseJson(part.arguments));
      return [{ type: 'tool-call', toolCallId: part.call_id, toolName: part.name, input, ...noted(part.provider, names) }];
    }
    case 'tool_result':
    case 'citation':
    case 'error':
      return [];
  }
}

function resultsIn(parts: readonly Part[]): LanguageModelV4ToolResultPart[] {
  return parts.flatMap((part): LanguageModelV4ToolResultPart[] => {
    if (part.type !== 'tool_result') return [];
    const value = part.result === '' ? `(${part.status})` : part.result;
    const output = { type: part.status === 'completed' ? 'text' : 'error-text', value } as const;
    return [{ type: 'tool-result', toolCallId: part.call_id, toolName: part.name, output }];
  });
}

function noted(notes: ProviderNotes | undefined, { name, namespace }: NoteNames): { providerOptions?: SharedV4ProviderOptions } {
  const own = notes !== undefined && Object.hasOwn(notes, name) ? notes[name] : null;
  return typeof own === 'object' && own !== null ? { providerOptions: { [namespace]: own as SharedV4ProviderOptions[string] } } : {};
}

/** What the model may call, in the AI SDK's form. */
export function toolsOf(tools: readonly ToolDefinition[]): LanguageModelV4FunctionTool[] {
  return tools.map(({ name, description, parameters }) => ({ type: 'function', name, description, inputSchema: { ...parameters } }));
}

/** A declaration for every tool that the messages mention, since Anthropic wants calls in a history to have one. */
export function toolsIn(messages: readonly PromptMessage[]): LanguageModelV4FunctionTool[] {
  const calls = messages.flatMap(({ parts }) => parts.filter((part) => part.type === 'tool_call'));
  const names = new Set(calls.map(({ name }) => name));
  return [...names].map((name) => ({ type: 'function', name, inputSchema: { type: 'object' } }));
}
