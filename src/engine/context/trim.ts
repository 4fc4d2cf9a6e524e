import type { Part } from '../../core/message.ts';
import type { PromptMessage } from '../../core/ports/model-provider.ts';
import type { TokenCounter } from '../../core/ports/token-counter.ts';

/** Tokens that a provider's own frame of a message takes, roughly. */
const MESSAGE_OVERHEAD = 4;

interface WindowOptions {
  /** Tokens. */
  readonly budget: number;
  readonly counter: TokenCounter;
}

/** Messages that stay or go together: a user's message, or an assistant's with the results of its calls. */
type Group = readonly PromptMessage[];

/**
 * Drops what is oldest until the rest fits: whole turns first, then the earlier steps of the newest turn. Instructions, the newest question and
 * the newest message always stay, even over budget. A legal request stays legal.
 */
export async function fitWindow(messages: readonly PromptMessage[], { budget, counter }: WindowOptions): Promise<PromptMessage[]> {
  // A byte-level vocabulary has no token below one byte: what fits in bytes needs no counting.
  if (bytesOf(messages) <= budget) return [...messages];
  await counter.load();
  const tokensOf = (group: Group, limit: number) => sizeOf(group, limit, counter.count);
  const system = messages.filter(({ role }) => role === 'system');
  const groups = groupsOf(messages.filter(({ role }) => role !== 'system'));
  const question = groups.findLastIndex(isQuestion);
  const newest = groups.slice(Math.max(question, 0));
  const required = [system, ...newest.slice(0, 1), ...(newest.length > 1 ? newest.slice(-1) : [])];
  let left = budget;
  for (const group of required) if (left > 0) left -= await tokensOf(group, left);

  /** As many of the latest entries as fit, without a gap. */
  async function latest(entries: readonly (readonly Group[])[]): Promise<readonly Group[]> {
    let from = entries.length;
    for (; from > 0 && left > 0; from -= 1) {
      const size = await tokensOf(entries[from - 1]?.flat() ?? [], left);
      if (size > left) break;
      left -= size;
    }
    return entries.slice(from).flat();
  }

  const steps = newest.slice(1, -1);
  const keptSteps = await latest(steps.map((step) => [step]));
  const keptTurns = keptSteps.length < steps.length ? [] : await latest(turnsOf(groups.slice(0, Math.max(question, 0))));
  return [system, ...keptTurns, ...newest.slice(0, 1), ...keptSteps, ...(newest.length > 1 ? newest.slice(-1) : [])].flat();
}

function isQuestion(group: Group): boolean {
  return group[0]?.role === 'user';
}

function groupsOf(messages: readonly PromptMessage[]): readonly Group[] {
  const groups: PromptMessage[][] = [];
  for (const message of messages) {
    const last = groups.at(-1);
    if (message.role === 'tool' && last !== undefined) last.push(message);
    else groups.push([message]);
  }
  return groups;
}

/** A turn is a question with all that follows it. */
function turnsOf(groups: readonly Group[]): readonly (readonly Group[])[] {
  const turns: Group[][] = [];
  for (const group of groups) {
    const last = turns.at(-1);
    if (last === undefined || isQuestion(group)) turns.push([group]);
    else last.push(group);
  }
  return turns;
}

type Measure = (text: string, limit: number) => Promise<number>;

/** Size of messages; measuring stops beyond `limit`. */
async function sizeOf(messages: readonly PromptMessage[], limit: number, measure: Measure): Promise<number> {
  let size = overheadOf(messages);
  for (const text of textsIn(messages)) if (size <= limit) size += await measure(text, limit - size);
  return size;
}

/** At least as many as the messages have tokens. */
function bytesOf(messages: readonly PromptMessage[]): number {
  return textsIn(messages).reduce((bytes, text) => bytes + Buffer.byteLength(text), overheadOf(messages));
}

function overheadOf(messages: readonly PromptMessage[]): number {
  const calls = messages.reduce((count, { parts }) => count + parts.filter(({ type }) => type === 'tool_call').length, 0);
  return MESSAGE_OVERHEAD * (messages.length + calls);
}

function textsIn(messages: readonly PromptMessage[]): readonly string[] {
  return messages.flatMap(({ parts }) => parts.flatMap(textsOf));
}

function textsOf(part: Part): readonly string[] {
  switch (part.type) {
    case 'text':
    case 'reasoning':
      return [part.text];
    case 'tool_call':
      return [part.call_id, part.name, part.arguments];
    case 'tool_result':
      return [part.call_id, part.result];
    case 'citation':
    case 'error':
      return [];
  }
}
