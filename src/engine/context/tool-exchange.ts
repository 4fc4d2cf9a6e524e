import type { PromptMessage } from '../../core/ports/model-provider.ts';
import type { CallPart, CallSlot, ResultPart, TextPart } from './transcript.ts';

// What OpenAI and Anthropic both take.
const LEGAL_ID = /^[A-Za-z0-9_-]{1,40}$/;
const ILLEGAL_IN_NAME = /[^A-Za-z0-9_-]/g;
const MAX_NAME = 64;

/** Gives every call of one request an id of its own. */
type CallIds = (wanted: string) => string;

/** Keeps the id a call has, unless it is malformed or was given before: then `call_1`, `call_2` and so on. */
export function createCallIds(): CallIds {
  const given = new Set<string>();
  let made = 0;
  return (wanted) => {
    let id = wanted;
    while (!LEGAL_ID.test(id) || given.has(id)) {
      made += 1;
      id = `call_${made}`;
    }
    given.add(id);
    return id;
  };
}

/** An assistant's message with its calls, and directly behind it exactly one tool message for each of them. */
export function toolExchange(texts: readonly TextPart[], slots: readonly CallSlot[], callIds: CallIds): readonly PromptMessage[] {
  const pairs = slots.map(({ call, result }) => {
    const legal = { ...call, call_id: callIds(call.call_id), name: legalName(call.name), arguments: legalArguments(call.arguments) };
    return { call: legal, result: resultFor(legal, result) };
  });
  return [
    { role: 'assistant', parts: [...texts, ...pairs.map(({ call }) => call)] },
    ...pairs.map(({ result }): PromptMessage => ({ role: 'tool', parts: [result] })),
  ];
}

function resultFor({ call_id, name }: CallPart, result: ResultPart | null): ResultPart {
  if (result === null) return { type: 'tool_result', call_id, name, status: 'cancelled', result: 'The call was cancelled.' };
  return { ...result, call_id, name, result: result.result.toWellFormed() };
}

function legalName(name: string): string {
  return name.replace(ILLEGAL_IN_NAME, '_').slice(0, MAX_NAME) || 'unnamed';
}

/** Providers want the JSON of an object; what a model wrote otherwise is kept inside one. */
function legalArguments(text: string): string {
  if (text.trim() === '') return '{}';
  const wellFormed = text.toWellFormed();
  return isJsonObject(wellFormed) ? wellFormed : JSON.stringify({ unparsed: wellFormed });
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
