import { logEvent, type RunFact } from '../../core/run-event.ts';
import type { LiveRun, Pending } from './live-run.ts';
import type { Ending, Waiting } from './outcome.ts';

/** Text of one of the two kinds that a model writes. */
export interface TextPiece {
  readonly type: 'text.appended' | 'reasoning.appended';
  readonly text: string;
}

const MAX_EVENT_TEXT = 16_384;
/** What an event without text counts. */
const EVENT_SIZE = 100;
const NONE: readonly never[] = [];

/** Nothing yet, behind what is in the log and on its way there. */
export function createPending(live: LiveRun): Pending {
  const first = live.log.length + (live.flushing?.events.length ?? 0) + 1;
  return { live, events: [], first, size: 0, urgent: false, durable: false, ending: null, approvals: NONE, waiting: NONE };
}

/** Adds a fact that is no text. */
export function addFact(pending: Pending, fact: RunFact): void {
  place(pending, fact);
  pending.durable = true;
  pending.size += 'result' in fact ? fact.result.length : EVENT_SIZE;
}

/** Adds text; neighbouring pieces become one event of bounded size. */
export function addText(pending: Pending, { type, text }: TextPiece): void {
  const { events, live } = pending;
  if (text.length > MAX_EVENT_TEXT) {
    for (const piece of piecesOf(text)) addText(pending, { type, text: piece });
    return;
  }
  const last = events[events.length - 1];
  if (last?.type === type && last.text.length + text.length <= MAX_EVENT_TEXT) (last as { text: string }).text += text;
  else place(pending, textFact(live, { type, text }));
  pending.size += text.length;
  if (type === 'text.appended') live.textLength += text.length;
}

function textFact({ run: { answerId: message_id }, textLength: at }: LiveRun, { type, text }: TextPiece): RunFact {
  return type === 'text.appended' ? { type, message_id, text, at } : { type, message_id, text };
}

function place(pending: Pending, fact: RunFact): void {
  const { live, events, first } = pending;
  const event = logEvent(live.run.id, first + events.length, fact);
  // Nearly all have one event, and V8 gives a list that grows from nothing room for seventeen.
  if (events.length === 0) pending.events = [event];
  else events.push(event);
}

/** A text in pieces of bounded size, cut between code points. */
function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  for (let start = 0; start < text.length; ) {
    let end = Math.min(start + MAX_EVENT_TEXT, text.length);
    if (end < text.length && isHighSurrogate(text.charCodeAt(end - 1))) end -= 1;
    pieces.push(text.slice(start, end));
    start = end;
  }
  return pieces;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

/** Adds what a run appends last in this process; it does not wait for the window. */
export function addEnding(pending: Pending, ending: Ending | Waiting): void {
  if ('questions' in ending) {
    for (const question of ending.questions) addFact(pending, question);
    pending.approvals = ending.questions.map(({ call_id, expires_at }) => ({ callId: call_id, expiresAt: Date.parse(expires_at) }));
  } else {
    addFact(pending, ending.fact);
    pending.ending = ending;
  }
}

/** Resolves when all of this is stored and delivered. */
export function untilStored(pending: Pending): Promise<void> {
  return new Promise((resolve) => {
    pending.waiting = [...pending.waiting, resolve];
  });
}
