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
  if (sizeOf(messages, Buffer.byteLength) <= budget) return [...messages];
  await counter.load();
  const tokensOf = (group: Group) => sizeOf(group, counter.count);
  const system = messages.filter(({ role }) => role === 'system');
  const groups = groupsOf(messages.filter(({ role }) => role !== 'system'));
  const question = groups.findLastIndex(isQuestion);
  const newest = groups.slice(Math.max(question, 0));
  const required = [system, ...newest.slice(0, 1), ...(newest.length > 1 ? newest.slice(-1) : [])];
  let left = required.reduce((rest, group) => rest - tokensOf(group), budget);

  /** As many of the latest entries as fit, without a gap. */
  function latest(entries: readonly (readonly Group[])[]): readonly Group[] {
    let from = entries.length;
    for (; from > 0; from -= 1) {
      const size = tokensOf(entries[from - 1]?.flat() ?? []);
      if (size > left) break;
      left -= size;
    }
    return entries.slice(from).flat();
  }

  const steps = newest.slice(1, -1);
  const keptSteps = latest(steps.map((step) => [step]));
  const keptTurns = keptSteps.length < steps.length ? [] : latest(turnsOf(groups.slice(0, Math.max(question, 0))));
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

function sizeOf(messages: readonly PromptMessage[], measure: (text: string) => number): number {
  let size = 0;
  for (const { parts } of messages) {
    size += MESSAGE_OVERHEAD;
    for (const part of parts) {
      switch (part.type) {
        case 'text':
        case 'reasoning':
          size += measure(part.text);
          break;
        case 'tool_call':
          size += MESSAGE_OVERHEAD + measure(part.call_id) + measure(part.name) + measure(part.arguments);
          break;
        case 'tool_result':
          size += measure(part.call_id) + measure(part.result);
          break;
        case 'error':
          break;
      }
    }
  }
  return size;
}
