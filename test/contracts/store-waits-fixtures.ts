import type { AgentPin } from '../../src/core/agent.ts';
import type { AgentId } from '../../src/core/ids.ts';
import type { DecideApproval } from '../../src/core/ports/approval-store.ts';
import type { LogPage, RunWait, Store } from '../../src/core/ports/store.ts';
import type { Run, RunSnapshot } from '../../src/core/run.ts';
import type { RunFact } from '../../src/core/run-event.ts';
import { append, begin, beginning, NOW, newId, segment, typesOf } from './store-fixtures.ts';

/** When what `waiting` asks for is overdue. */
export const EXPIRES = NOW + 60_000;

/** The snapshot of a run by an agent. */
export function agentSnapshot(agent: AgentPin = { id: newId<AgentId>(), name: 'tasks', version: 1 }): RunSnapshot {
  return { ...beginning().snapshot, agent };
}

function requested(callId: string): RunFact {
  const args = JSON.stringify({ text: callId });
  return {
    ...{ type: 'approval.requested', call_id: callId, name: 'add_task', arguments: args },
    expires_at: new Date(EXPIRES).toISOString(),
  };
}

/** A run that waits for these calls from `first` on. */
export function waiting(run: Run, first: number, calls: readonly [string, ...string[]]): RunWait {
  const [one, ...others] = calls.map((callId) => ({ callId, expiresAt: EXPIRES }));
  if (one === undefined) throw new Error('A run waits for something.');
  return { segment: segment(run, first, calls.map(requested)), approvals: [one, ...others] };
}

/** Approval of a call by the run's user. */
export function deciding(run: Run, callId: string, changes: Partial<DecideApproval> = {}): DecideApproval {
  return { ...{ owner: run.owner, runId: run.id, callId, decision: 'approve', arguments: null, now: NOW + 2 }, ...changes };
}

/** The first page of a run's log, which holds all of a short one. */
export async function logOf(store: Store, run: Run): Promise<LogPage> {
  return store.readLog({ runId: run.id, after: 0, maxBytes: 1_000_000 });
}

/** Offset and type of each of its events. */
export async function namesOf(store: Store, run: Run): Promise<readonly string[]> {
  return typesOf((await logOf(store, run)).events);
}

/** One of its events. */
export async function eventAt(store: Store, run: Run, offset: number): Promise<unknown> {
  return JSON.parse((await logOf(store, run)).events[offset - 1] ?? 'null');
}

/** A run that has said something and waits, with others queued behind it. */
export async function waitFor(store: Store, calls: readonly [string, ...string[]], { behind = 0 } = {}) {
  const { run, thread } = await begin(store, { snapshot: agentSnapshot() });
  const queued: Run[] = [];
  for (let count = 0; count < behind; count += 1) queued.push((await begin(store, { thread: { ref: { id: thread.id } } })).run);
  await append(store, { segments: [segment(run, 2, ['Let me see.'])] });
  const wait = waiting(run, 3, calls);
  const { fenced } = await append(store, { waits: [wait] });
  if (fenced.length > 0) throw new Error('The run may not wait.');
  return { run, thread, queued, wait };
}
