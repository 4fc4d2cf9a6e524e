import type { MessageStatus } from '../../core/message.ts';
import type { RequestedApproval } from '../../core/ports/approval-store.ts';
import type { RunFailure } from '../../core/run.ts';
import type { RunFact, TerminalFact } from '../../core/run-event.ts';

/** How a run ends; the terminal fact says how, the answer is stored with it. */
export interface Ending {
  readonly fact: TerminalFact;
  readonly status: MessageStatus;
  readonly failure: RunFailure | null;
}

/** A run that lets go of its process until people have decided about these calls. */
export interface Waiting {
  readonly questions: readonly Extract<RunFact, { type: 'approval.requested' }>[];
}

/** What a run has appended since the last flush. */
export interface Pending {
  readonly facts: RunFact[];
  /** Characters of text in the facts, roughly. */
  size: number;
  urgent: boolean;
  /** Whether a crash of the machine must not take it back: everything but text, of which it may take the last piece. */
  durable: boolean;
  ending: Ending | null;
  /** What the run waits for when all of this is stored; empty unless it lets go of its process. */
  approvals: readonly RequestedApproval[];
  /** Callers to be told when all of this is stored. */
  readonly waiting: (() => void)[];
}

type TextFact = Extract<RunFact, { type: 'text.appended' | 'reasoning.appended' }>;

const MAX_EVENT_TEXT = 16_384;
/** What an event without text counts. */
const EVENT_SIZE = 100;

export function createPending(): Pending {
  return { facts: [], size: 0, urgent: false, durable: false, ending: null, approvals: [], waiting: [] };
}

/** Adds a fact; neighbouring pieces of text become one event of bounded size. */
export function addFact(pending: Pending, fact: RunFact): void {
  const { facts } = pending;
  if (fact.type !== 'text.appended' && fact.type !== 'reasoning.appended') {
    facts.push(fact);
    pending.durable = true;
    pending.size += 'result' in fact ? fact.result.length : EVENT_SIZE;
    return;
  }
  pending.size += fact.text.length;
  const last = facts.at(-1);
  if (last?.type === fact.type && last.text.length + fact.text.length <= MAX_EVENT_TEXT) (last as { text: string }).text += fact.text;
  else facts.push(...piecesOf(fact));
}

/** A text fact as facts of bounded size, cut between code points. The pieces are new objects: later text may be joined to the last. */
function piecesOf(fact: TextFact): TextFact[] {
  const pieces: TextFact[] = [];
  for (let start = 0; start < fact.text.length; ) {
    let end = Math.min(start + MAX_EVENT_TEXT, fact.text.length);
    if (end < fact.text.length && isHighSurrogate(fact.text.charCodeAt(end - 1))) end -= 1;
    const text = fact.text.slice(start, end);
    pieces.push(fact.type === 'text.appended' ? { ...fact, text, at: fact.at + start } : { ...fact, text });
    start = end;
  }
  return pieces;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

/** Adds what a run appends last in this process; it does not wait for the window. */
export function addEnding(pending: Pending, ending: Ending | Waiting): void {
  pending.urgent = true;
  if ('questions' in ending) {
    for (const question of ending.questions) addFact(pending, question);
    pending.approvals = ending.questions.map(({ call_id, expires_at }) => ({ callId: call_id, expiresAt: Date.parse(expires_at) }));
  } else {
    addFact(pending, ending.fact);
    pending.ending = ending;
  }
}
