import type { Part } from '../../src/core/message.ts';
import type { PromptMessage } from '../../src/core/ports/model-provider.ts';

const CALL_ID = /^[a-zA-Z0-9_-]{1,40}$/;
const FUNCTION_NAME = /^[a-zA-Z0-9_-]{1,64}$/;

/**
 * Everything for which OpenAI's chat completions or Anthropic's messages would answer 400, as their references and error messages tell it; an
 * empty list for a legal request.
 */
export function objections(messages: readonly PromptMessage[]): readonly string[] {
  const talk = messages[0]?.role === 'system' ? messages.slice(1) : messages;
  return [...messages.flatMap(messageObjections), ...orderObjections(talk), ...toolObjections(talk), ...duplicateIds(talk)];
}

function messageObjections({ role, parts }: PromptMessage, index: number): readonly string[] {
  const at = `messages[${index}]`;
  const found: string[] = [];
  if (role === 'system' && index > 0) found.push(`${at}: system must come first`);
  if (parts.length === 0) found.push(`${at}: content is empty`);
  if (role === 'tool' && parts.length !== 1) found.push(`${at}: a tool message is one result`);
  const allowed: Record<PromptMessage['role'], readonly Part['type'][]> = {
    system: ['text'],
    user: ['text'],
    assistant: ['text', 'tool_call'],
    tool: ['tool_result'],
  };
  for (const part of parts) {
    if (!allowed[role].includes(part.type)) found.push(`${at}: ${part.type} is not allowed for ${role}`);
    found.push(...partObjections(part).map((objection) => `${at}: ${objection}`));
  }
  const firstCall = parts.findIndex(({ type }) => type === 'tool_call');
  if (firstCall !== -1 && parts.slice(firstCall).some(({ type }) => type === 'text')) found.push(`${at}: text behind a tool call`);
  return found;
}

function partObjections(part: Part): readonly string[] {
  switch (part.type) {
    case 'text':
      return [...(/\S/.test(part.text) ? [] : ['text must contain non-whitespace']), ...surrogates(part.text)];
    case 'tool_call':
      return [
        ...(CALL_ID.test(part.call_id) ? [] : [`bad call id ${JSON.stringify(part.call_id)}`]),
        ...(FUNCTION_NAME.test(part.name) ? [] : [`bad function name ${JSON.stringify(part.name)}`]),
        ...(parsesToObject(part.arguments) ? [] : ['arguments are no JSON object']),
        ...surrogates(part.arguments),
      ];
    case 'tool_result':
      return surrogates(part.result);
    case 'reasoning':
    case 'citation':
    case 'error':
      return [];
  }
}

function surrogates(text: string): readonly string[] {
  return text.isWellFormed() ? [] : ['lone surrogate'];
}

function parsesToObject(text: string): boolean {
  try {
    return Object.prototype.toString.call(JSON.parse(text)) === '[object Object]';
  } catch {
    return false;
  }
}

function orderObjections(talk: readonly PromptMessage[]): readonly string[] {
  const roles = talk.map(({ role }) => role);
  const found: string[] = [];
  if (roles[0] !== 'user') found.push(`the first message must be from the user, not ${roles[0]}`);
  const last = roles.at(-1);
  if (last !== 'user' && last !== 'tool') found.push(`the last message must be from the user or a tool, not ${last}`);
  for (const [index, role] of roles.entries()) {
    if (role !== 'tool' && role === roles[index - 1]) found.push(`two ${role} messages in a row`);
    if (role === 'tool' && roles[index - 1] === 'user') found.push('a tool message behind a user message');
  }
  return found;
}

/** Each assistant message with calls: the messages behind it answer exactly these calls, each once. Nothing else is a tool message. */
function toolObjections(talk: readonly PromptMessage[]): readonly string[] {
  const found: string[] = [];
  let expected = new Set<string>();
  for (const message of [...talk, null]) {
    if (message?.role === 'tool') {
      const [part] = message.parts;
      const id = part?.type === 'tool_result' ? part.call_id : '';
      if (!expected.delete(id)) found.push(`tool result ${JSON.stringify(id)} answers no call before it`);
      continue;
    }
    for (const id of expected) found.push(`tool call ${JSON.stringify(id)} has no result`);
    const calls = (message?.parts ?? []).filter((part) => part.type === 'tool_call');
    expected = new Set(calls.map(({ call_id }) => call_id));
  }
  return found;
}

function duplicateIds(talk: readonly PromptMessage[]): readonly string[] {
  const ids = talk.flatMap(({ parts }) => parts.flatMap((part) => (part.type === 'tool_call' ? [part.call_id] : [])));
  return ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `tool call id ${id} is not unique`);
}
