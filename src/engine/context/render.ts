import type { Message } from '../../core/message.ts';
import type { PromptMessage } from '../../core/ports/model-provider.ts';
import { createCallIds, toolExchange } from './tool-exchange.ts';
import { type CallSlot, type Item, readTranscript, type TextPart } from './transcript.ts';

const BETWEEN_MESSAGES = '\n\n';
/** Asked when a history leaves nothing to answer, since every request must end with somebody else's words. */
const GO_ON = 'Continue.';

interface RenderOptions {
  readonly instructions: readonly string[];
  /** Name of the provider that will get the request. */
  readonly provider: string;
  /** Bytes of UTF-8 that the results of one step's tools may have together; what is longer is cut. Without it they stay whole. */
  readonly resultBytes?: number;
}

/**
 * Makes a request that strict providers accept, whatever the history: the instructions first, then user and assistant in turns beginning with
 * the user and ending with the user or a tool, every tool call directly followed by its one result.
 */
export function render(
  history: readonly Message[],
  { instructions, provider, resultBytes = Number.POSITIVE_INFINITY }: RenderOptions,
): PromptMessage[] {
  const spoken = conversation(readTranscript(history, provider), resultBytes);
  const firstUser = spoken.findIndex(({ role }) => role === 'user');
  const messages = firstUser === -1 ? [] : spoken.slice(firstUser);
  const last = messages.at(-1);
  if (last === undefined || last.role === 'assistant') messages.push({ role: 'user', parts: [{ type: 'text', text: GO_ON }] });
  const system = instructions.filter((text) => text.trim() !== '').join(BETWEEN_MESSAGES);
  return system === '' ? messages : [{ role: 'system', parts: [{ type: 'text', text: system.toWellFormed() }] }, ...messages];
}

/** One message that is being put together. */
interface Turn {
  readonly role: 'user' | 'assistant';
  readonly texts: TextPart[];
  readonly slots: CallSlot[];
  /** A call of it got its result: the next call is another step. */
  answered: boolean;
}

function conversation(items: readonly Item[], resultBytes: number): PromptMessage[] {
  const messages: PromptMessage[] = [];
  const callIds = createCallIds();
  let turn: Turn | null = null;

  function close(): void {
    if (turn === null) return;
    if (turn.slots.length > 0) messages.push(...toolExchange(turn.texts, turn.slots, { callIds, resultBytes }));
    else messages.push({ role: turn.role, parts: turn.texts });
    turn = null;
  }

  /** The current turn if it may take more, else a new one. */
  function turnFor(role: Turn['role'], fits: (current: Turn) => boolean): Turn {
    if (turn === null || turn.role !== role || !fits(turn)) {
      close();
      turn = { role, texts: [], slots: [], answered: false };
    }
    return turn;
  }

  for (const item of items) {
    switch (item.kind) {
      case 'text': {
        const { texts } = turnFor(item.role, ({ slots }) => slots.length === 0);
        const separator = item.opensMessage && texts.length > 0 ? BETWEEN_MESSAGES : '';
        texts.push({ ...item.part, text: separator + item.part.text });
        break;
      }
      case 'call':
        turnFor('assistant', ({ answered }) => !answered).slots.push(item.slot);
        break;
      case 'answered':
        markAnswered(turn, item.slot);
        break;
    }
  }
  close();
  return messages;
}

function markAnswered(turn: Turn | null, slot: CallSlot): void {
  if (turn?.slots.includes(slot)) turn.answered = true;
}
