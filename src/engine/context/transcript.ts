import type { Message, Part, ProviderNotes } from '../../core/message.ts';
import { textOf } from '../../core/message.ts';

export type TextPart = Extract<Part, { type: 'text' }>;
export type CallPart = Extract<Part, { type: 'tool_call' }>;
export type ResultPart = Extract<Part, { type: 'tool_result' }>;

/** A tool call and the result that belongs to it; null when none ever came. */
export interface CallSlot {
  readonly call: CallPart;
  result: ResultPart | null;
}

/** What a history says, one thing after another, without what no provider may see. `answered` marks where a call's result came in. */
export type Item =
  | { readonly kind: 'text'; readonly role: 'user' | 'assistant'; readonly part: TextPart; readonly opensMessage: boolean }
  | { readonly kind: 'call'; readonly slot: CallSlot }
  | { readonly kind: 'answered'; readonly slot: CallSlot };

/**
 * Reads a history in its order. A result belongs to the latest unanswered call of its id since the last user's text; any other result is left
 * out. Answers that did not complete count only when they have text, or calls that may have changed something.
 */
export function readTranscript(history: readonly Message[], provider: string): readonly Item[] {
  const open = new Map<string, CallSlot>();
  return history.filter(isWorthShowing).flatMap(({ role, parts }) => {
    const visible = visibleParts(parts, provider);
    const firstText = visible.find(({ type }) => type === 'text');
    const read = (part: Visible): readonly Item[] => {
      switch (part.type) {
        case 'text':
          if (role === 'user') open.clear();
          return [{ kind: 'text', role, part, opensMessage: part === firstText }];
        case 'tool_call':
          return role === 'assistant' ? [{ kind: 'call', slot: openCall(part, open) }] : [];
        case 'tool_result':
          return closeCall(part, open);
      }
    };
    return visible.flatMap(read);
  });
}

function isWorthShowing({ role, status, parts }: Message): boolean {
  return role === 'user' || status === 'completed' || !isBlank(textOf(parts)) || parts.some(({ type }) => type === 'tool_call');
}

function openCall(call: CallPart, open: Map<string, CallSlot>): CallSlot {
  const slot = { call, result: null };
  open.set(call.call_id, slot);
  return slot;
}

function closeCall(result: ResultPart, open: Map<string, CallSlot>): readonly Item[] {
  const slot = open.get(result.call_id);
  if (slot === undefined) return [];
  open.delete(result.call_id);
  slot.result = result;
  return [{ kind: 'answered', slot }];
}

type Visible = TextPart | CallPart | ResultPart;

/** Joins neighbouring texts, which heals characters that two of them share, and leaves out blank ones: providers refuse those. */
function visibleParts(parts: readonly Part[], provider: string): readonly Visible[] {
  const visible: Visible[] = [];
  for (const part of parts) {
    if (part.type === 'tool_result') visible.push(part);
    if (part.type !== 'text' && part.type !== 'tool_call') continue;
    const { provider: notes, ...plain } = part.type === 'text' ? part : callOf(part);
    const own = ownNotes(notes, provider);
    const last = visible.at(-1);
    if (plain.type === 'text' && last?.type === 'text' && own === null && last.provider === undefined) {
      visible[visible.length - 1] = { type: 'text', text: last.text + plain.text };
    } else {
      visible.push(own === null ? plain : { ...plain, provider: own });
    }
  }
  return visible
    .filter((part) => part.type !== 'text' || !isBlank(part.text))
    .map((part) => (part.type === 'text' ? { ...part, text: part.text.toWellFormed() } : part));
}

/** When a call was made is for people. */
function callOf({ called_at: _time, ...call }: CallPart): CallPart {
  return call;
}

function ownNotes(notes: ProviderNotes | undefined, provider: string): ProviderNotes | null {
  return notes !== undefined && Object.hasOwn(notes, provider) ? { [provider]: notes[provider] } : null;
}

function isBlank(text: string): boolean {
  return text.trim() === '';
}
