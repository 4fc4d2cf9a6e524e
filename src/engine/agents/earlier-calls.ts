import type { ApprovalAnswer, ToolAnswer, ToolRequest } from '../../core/ports/agent-runtime.ts';
import type { RunFact } from '../../core/run-event.ts';
import type { ToolChange } from './toolbox.ts';

/** What the log of a run's earlier attempts says of one call, or of a question to a person. */
export interface EarlierCall {
  readonly callId: string;
  readonly name: string;
  /** As an approval was asked for; null when none was. */
  asked: string | null;
  change: ToolChange | null;
  decision: (ApprovalAnswer & { readonly expired: boolean }) | null;
  /** As it was made; null when it was not. */
  called: string | null;
  answer: ToolAnswer | null;
  /** Whether it belongs to the node that the graph was in. */
  readonly inLastNode: boolean;
}

/** Reads what was asked for, decided, called and returned; in the order of the log, by id. */
export function readEarlierCalls(before: readonly RunFact[]): ReadonlyMap<string, EarlierCall> {
  const lastNode = beginningOfLastNode(before);
  const calls = new Map<string, EarlierCall>();
  for (const [index, fact] of before.entries()) {
    if (fact.type === 'approval.requested' || fact.type === 'tool.called') {
      const { call_id: callId, name } = fact;
      const blank = { asked: null, change: null, decision: null, called: null, answer: null };
      const call = calls.get(callId) ?? { callId, name, ...blank, inLastNode: index > lastNode };
      calls.set(callId, call);
      if (fact.type === 'tool.called') call.called = fact.arguments;
      else Object.assign(call, { asked: fact.arguments, change: fact.change ?? null });
    } else if (fact.type === 'approval.decided' || fact.type === 'tool.returned') {
      const call = calls.get(fact.call_id);
      if (call) close(call, fact);
    }
  }
  return calls;
}

/** Where the node was entered that the log ends in; a node that is entered again behind a restart is the one that was broken off. */
export function beginningOfLastNode(before: readonly RunFact[]): number {
  let beginning = -1;
  let restarted = false;
  let name: string | null = null;
  for (let index = before.length - 1; index >= 0; index -= 1) {
    const fact = before[index];
    if (fact?.type === 'run.restarted') restarted = true;
    if (fact?.type !== 'node.entered') continue;
    if (name !== null && !(restarted && fact.name === name)) break;
    beginning = index;
    restarted = false;
    name = fact.name;
  }
  return beginning;
}

type ClosingFact = Extract<RunFact, { type: 'approval.decided' | 'tool.returned' }>;

function close(call: EarlierCall, fact: ClosingFact): void {
  if (fact.type === 'approval.decided') {
    call.decision = { decision: fact.decision, arguments: fact.arguments, expired: fact.expired };
  } else {
    const { call_id, name, status, result } = fact;
    call.answer = { call_id, name, status, result };
  }
}

/** The calls that an earlier attempt has not finished, as their model asked for them. */
export function unfinishedCalls(before: readonly RunFact[]): readonly ToolRequest[] {
  const open = [...readEarlierCalls(before).values()].filter(({ answer }) => answer === null);
  return open.map(({ callId, name, asked, called }) => ({ call_id: callId, name, arguments: asked ?? called ?? '' }));
}
