import { randomInt } from 'node:crypto';
import { v7 } from 'uuid';
import type { ApplicationId, MessageId, ProcessId, RunId, ThreadId, ThreadKey } from '../../src/core/ids.ts';
import { DEFAULT_APPLICATION } from '../../src/core/ids.ts';
import type { BeginResult, BeginRun, Lease, NewMessage, NewThread, RunEnd, RunWait, Segment, Store } from '../../src/core/ports/store.ts';
import type { Owner } from '../../src/core/principal.ts';
import type { Run } from '../../src/core/run.ts';
import type { RunFact } from '../../src/core/run-event.ts';
import { logEvent } from '../../src/core/run-event.ts';
import type { Thread } from '../../src/core/thread.ts';

export const NOW = 1_800_000_000_000;
export const DAY = 24 * 60 * 60 * 1000;

export const ann: Owner = { applicationId: DEFAULT_APPLICATION, userId: 'ann' };
export const bob: Owner = { applicationId: DEFAULT_APPLICATION, userId: 'bob' };
export const elsewhere: Owner = { applicationId: 'other' as ApplicationId, userId: 'ann' };

export const lease: Lease = { processId: v7() as ProcessId, until: NOW + 10_000 };

export const newId = <Id extends string>(): Id => v7() as Id;

export function newThread(changes: Partial<NewThread> = {}): NewThread {
  return {
    key: newId<ThreadKey>(),
    id: newId<ThreadId>(),
    number: randomInt(1, 2 ** 47),
    title: null,
    model: null,
    agent: null,
    tags: [],
    metadata: {},
    carryTurns: 0,
    ...changes,
  };
}

export function question(text: string): NewMessage {
  return { id: newId<MessageId>(), role: 'user', parts: [{ type: 'text', text }] };
}

/** A question at the head of a new thread, started at once, unless told otherwise. */
export function beginning(changes: Partial<BeginRun> = {}): BeginRun {
  return {
    owner: ann,
    now: NOW,
    names: { runId: newId<RunId>(), answerId: newId<MessageId>() },
    thread: { create: newThread() },
    ask: { kind: 'append', messages: [question('Hello?')], parent: 'head' },
    snapshot: {
      model: 'demo',
      provider: 'demo',
      upstream: 'demo',
      window: 8192,
      maxOutput: 2048,
      agent: null,
      temperature: null,
      maxTokens: null,
      instructions: [],
    },
    title: null,
    maxQueued: 20,
    maxUnfinished: { user: null, application: null },
    lease,
    idempotency: null,
    ...changes,
  };
}

export function begun(result: BeginResult): { run: Run; thread: Thread } {
  if (result.kind !== 'begun') throw new Error(`Expected a run to begin, got ${JSON.stringify(result)}.`);
  return { run: result.run, thread: result.thread };
}

/** Begins a run that the store must accept. */
export async function begin(store: Store, changes: Partial<BeginRun> = {}): Promise<{ run: Run; thread: Thread }> {
  return begun(await store.beginRun(beginning(changes)));
}

/** Facts as a segment that starts at `first`, in the words in which logs once had all events: each says its offset, so that none goes astray unseen. */
export function segment(run: Pick<Run, 'id' | 'attempt' | 'answerId'>, first: number, facts: readonly (RunFact | string)[]): Segment {
  const events = facts.map((fact, index) => {
    const given: RunFact = typeof fact === 'string' ? { type: 'text.appended', message_id: run.answerId, text: fact, at: 0 } : fact;
    return JSON.stringify(logEvent(run.id, first + index, given));
  });
  return { runId: run.id, attempt: run.attempt, first, last: first + facts.length - 1, events: events.join('\n') };
}

/** The end of a run that answered `text`, its terminal event at `first`. */
export function ending(run: Run, first: number, text = 'Hi.'): RunEnd {
  const usage = { input_tokens: 3, output_tokens: 2 };
  const message = {
    id: run.answerId,
    seq: run.answerSeq,
    role: 'assistant',
    status: 'completed',
    parts: [{ type: 'text', text }],
  } as const;
  return {
    segment: segment(run, first, [{ type: 'run.completed', message, usage, model: 'demo', finish_reason: 'stop' }]),
    status: 'completed',
    answer: { parts: message.parts, status: 'completed', model: 'demo', usage },
    failure: null,
    finishReason: 'stop',
  };
}

/** Writes to the log what is given and nothing else. */
export function append(
  store: Store,
  given: { segments?: readonly Segment[]; waits?: readonly RunWait[]; ends?: readonly RunEnd[]; lease?: Lease | null; now?: number },
) {
  return store.appendLog({
    now: given.now ?? NOW + 1,
    segments: given.segments ?? [],
    waits: given.waits ?? [],
    ends: given.ends ?? [],
    durable: given.ends !== undefined || given.waits !== undefined,
    lease: given.lease ?? null,
  });
}

/** Begins a run and lets it answer. */
export async function turn(store: Store, changes: Partial<BeginRun> = {}, answer = 'Hi.'): Promise<{ run: Run; thread: Thread }> {
  const { run, thread } = await begin(store, changes);
  await append(store, { ends: [ending(run, 2, answer)], now: changes.now ?? NOW });
  return { run, thread };
}

/** The type, offset and place of logged events, for short comparisons. */
export function typesOf(events: readonly string[]): readonly string[] {
  return events.map((json) => {
    const event = JSON.parse(json) as { type: string; offset: number };
    return `${event.offset} ${event.type}`;
  });
}
