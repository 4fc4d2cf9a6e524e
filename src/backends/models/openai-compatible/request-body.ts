import type { Part } from '../../../core/message.ts';
import { textOf } from '../../../core/message.ts';
import type { ModelRequest, PromptMessage } from '../../../core/ports/model-provider.ts';
import type { ToolDefinition } from '../../../core/tool.ts';

/** How one provider departs from the common form of a request; learnt from its refusals. */
export interface Habits {
  readonly streamOptions: boolean;
  readonly limitName: 'max_tokens' | 'max_completion_tokens';
}

export const COMMON_HABITS: Habits = { streamOptions: true, limitName: 'max_tokens' };

/** The JSON body of a streamed chat completion (OpenAI API reference, POST /chat/completions). */
export function requestBody(request: ModelRequest, habits: Habits): string {
  return JSON.stringify({
    model: request.model,
    messages: request.messages.flatMap(wireMessages),
    stream: true,
    ...(habits.streamOptions ? { stream_options: { include_usage: true } } : {}),
    ...(request.temperature === null ? {} : { temperature: request.temperature }),
    ...(request.maxTokens === null ? {} : { [habits.limitName]: request.maxTokens }),
    // Some servers refuse an empty list. Whether several calls may come at once is left to the provider's default, which is yes.
    ...(request.tools === undefined || request.tools.length === 0 ? {} : { tools: request.tools.map(wireTool) }),
  });
}

/** The schema goes out as it is: `strict` would ask for a subset of JSON Schema that tools do not keep to. */
function wireTool({ name, description, parameters }: ToolDefinition): object {
  return { type: 'function', function: { name, description, parameters } };
}

function wireMessages(message: PromptMessage): readonly object[] {
  switch (message.role) {
    case 'system':
    case 'user':
      return [{ role: message.role, content: textOf(message.parts) }];
    case 'assistant':
      return [assistantMessage(message.parts)];
    case 'tool':
      return message.parts.flatMap((part) =>
        part.type === 'tool_result'
          ? [{ role: 'tool', tool_call_id: part.call_id, content: part.result === '' ? `(${part.status})` : part.result }]
          : [],
      );
  }
}

function assistantMessage(parts: readonly Part[]): object {
  const text = textOf(parts);
  const calls = parts.flatMap((part) =>
    part.type === 'tool_call'
      ? [{ id: part.call_id, type: 'function', function: { name: part.name, arguments: part.arguments === '' ? '{}' : part.arguments } }]
      : [],
  );
  if (calls.length === 0) return { role: 'assistant', content: text };
  return { role: 'assistant', content: text === '' ? null : text, tool_calls: calls };
}

const UNKNOWN_FIELD =
  /max_completion_tokens|unsupported|not\s+support|unknown|unrecogni[sz]ed|unexpected|extra|not\s+(?:permitted|allowed)|deprecated/i;

/**
 * Other habits to try after the provider refused a request with this error body; null when the refusal names no habit. A `max_tokens` that is
 * merely too large does not count: under another name a lenient server would ignore the limit.
 */
export function habitsAfter(refusal: string, habits: Habits): Habits | null {
  if (habits.streamOptions && refusal.includes('stream_options')) return { ...habits, streamOptions: false };
  if (!refusal.includes(habits.limitName) || !UNKNOWN_FIELD.test(refusal)) return null;
  return { ...habits, limitName: habits.limitName === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens' };
}
