import type { MessageId, RunId, ThreadId } from './ids.ts';
import type { Message, ToolResultStatus, Usage } from './message.ts';
import type { FinishReason, Run, RunFailure } from './run.ts';
import type { ApprovalDecision, ToolDefinition } from './tool.ts';

/** The answer as `run.completed` carries it: the stored message in native's words. */
type CompletedMessage = Pick<Message, 'id' | 'seq' | 'role' | 'status' | 'parts'>;

/** Something that happened in a run, before it has its place in the log. */
export type RunFact =
  | {
      readonly type: 'run.started';
      readonly thread_id: ThreadId;
      readonly message_id: MessageId;
      readonly answer_id: MessageId;
      readonly model: string;
      readonly attempt: number;
    }
  | { readonly type: 'run.restarted'; readonly attempt: number }
  | { readonly type: 'node.entered'; readonly name: string }
  /** `at` counts UTF-16 code units from the answer's start. */
  | { readonly type: 'text.appended'; readonly message_id: MessageId; readonly text: string; readonly at: number }
  | { readonly type: 'reasoning.appended'; readonly message_id: MessageId; readonly text: string }
  /** `called_at` and `returned_at`: RFC 3339. A call waits for its approval before it is called; `arguments` are those it is made with. */
  | {
      readonly type: 'tool.called';
      readonly call_id: string;
      readonly name: string;
      readonly arguments: string;
      readonly called_at: string;
    }
  | {
      readonly type: 'tool.returned';
      readonly call_id: string;
      readonly name: string;
      readonly status: ToolResultStatus;
      readonly result: string;
      readonly returned_at: string;
    }
  | {
      readonly type: 'approval.requested';
      readonly call_id: string;
      readonly name: string;
      readonly arguments: string;
      /** RFC 3339; from then on it counts as denied. */
      readonly expires_at: string;
      /** The tool is no longer what its agent has trusted: its definition before and now. Approving trusts the new one. */
      readonly change?: { readonly before: ToolDefinition; readonly after: ToolDefinition };
    }
  | {
      readonly type: 'approval.decided';
      readonly call_id: string;
      readonly decision: ApprovalDecision;
      /** What the call is made with instead; null for what was asked. */
      readonly arguments: string | null;
      /** True when nobody decided in time. */
      readonly expired: boolean;
    }
  | { readonly type: 'usage.recorded'; readonly usage: Usage }
  | TerminalFact;

/** The last fact of every run, exactly once. */
export type TerminalFact =
  | {
      readonly type: 'run.completed';
      readonly message: CompletedMessage;
      readonly usage: Usage | null;
      readonly model: string;
      readonly finish_reason: FinishReason;
    }
  | ({ readonly type: 'run.failed' } & RunFailure)
  | { readonly type: 'run.cancelled' };

/** A fact with its place in the run's log: offsets are dense integers from 1 for the run's whole life. */
export type RunEvent = RunFact & { readonly run_id: RunId; readonly offset: number };

/** How every execution begins: the run's first event, written by the store with the claim and remembered by the executor. */
export function startedFact(run: Run): RunFact {
  return {
    type: 'run.started',
    thread_id: run.threadId,
    message_id: run.messageId,
    answer_id: run.answerId,
    model: run.snapshot.model,
    attempt: run.attempt,
  };
}

/** Gives a fact its place. */
export function logEvent(run_id: RunId, offset: number, fact: RunFact): RunEvent {
  // Nearly all events are text: made of their fields they are alike, and cheaper than by a copy of whatever there is.
  if (fact.type === 'text.appended') {
    const { type, message_id, text, at } = fact;
    return { type, run_id, offset, message_id, text, at };
  }
  return Object.assign({ type: fact.type, run_id, offset }, fact) as RunEvent;
}

/**
 * An event as a line of the stored log. Text is only what is its own, `[at,"text"]`, and reasoning `"text"`: whoever reads it knows the run, and
 * counts the lines. All else is the event's JSON.
 */
export function lineOf(event: RunEvent): string {
  if (event.type === 'text.appended') return `[${event.at},${JSON.stringify(event.text)}]`;
  return JSON.stringify(event.type === 'reasoning.appended' ? event.text : event);
}

/** Where consecutive lines stand: in which run's log, and from which offset on. */
export interface LinePlace {
  readonly runId: RunId;
  /** Null for a run that was never started, which has no text. */
  readonly answerId: MessageId | null;
  readonly first: number;
}

/** Reads events back from lines that `lineOf` made, now or when it still made JSON of everything. */
export function parseLines(lines: readonly string[], place: LinePlace): RunEvent[] {
  return lines.map((line, index) => parseLine(line, place, place.first + index));
}

function parseLine(line: string, { runId, answerId }: LinePlace, offset: number): RunEvent {
  const value = JSON.parse(line) as RunEvent | string | [number, string];
  if (typeof value === 'object' && !Array.isArray(value)) return value;
  if (answerId === null) throw new Error(`The log of run ${runId} has text before its start`);
  if (typeof value === 'string') return logEvent(runId, offset, { type: 'reasoning.appended', message_id: answerId, text: value });
  const [at, text] = value;
  return logEvent(runId, offset, { type: 'text.appended', message_id: answerId, text, at });
}

/** The answer's id, which a log's first line tells; null when its run ended before it was started. */
export function answerIn(first: string): MessageId | null {
  const event = JSON.parse(first) as RunEvent;
  return event.type === 'run.started' ? event.answer_id : null;
}

export function isTerminal(event: RunFact): event is TerminalFact {
  return event.type === 'run.completed' || event.type === 'run.failed' || event.type === 'run.cancelled';
}
