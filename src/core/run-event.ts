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

/** An event together with the JSON that stands in the log and goes on native's wire. */
export interface LoggedEvent {
  readonly offset: number;
  readonly event: RunEvent;
  readonly json: string;
}

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

/** Gives a fact its place; the one spot where an event's JSON is made. */
export function logEvent(runId: RunId, offset: number, fact: RunFact): LoggedEvent {
  if (fact.type === 'text.appended') return logText(runId, offset, fact);
  const event = Object.assign({ type: fact.type, run_id: runId, offset }, fact) as RunEvent;
  return { offset, event, json: JSON.stringify(event) };
}

/** Nearly all events are text: their JSON is put together from its five fields, of which only the text may need escapes. */
function logText(run_id: RunId, offset: number, fact: Extract<RunFact, { type: 'text.appended' }>): LoggedEvent {
  const { type, message_id, text, at } = fact;
  const json = `{"type":"${type}","run_id":"${run_id}","offset":${offset},"message_id":"${message_id}","text":${JSON.stringify(text)},"at":${at}}`;
  return { offset, event: { type, run_id, offset, message_id, text, at }, json };
}

/** Reads an event back from the JSON that `logEvent` made. */
export function parseLoggedEvent(json: string): LoggedEvent {
  const event = JSON.parse(json) as RunEvent;
  return { offset: event.offset, event, json };
}

export function isTerminal(event: RunFact): event is TerminalFact {
  return event.type === 'run.completed' || event.type === 'run.failed' || event.type === 'run.cancelled';
}
