import type { MessageId, RunId } from '../../../core/ids.ts';
import type { BeginRefusal, BeginResult, BeginRun, RunsLeft } from '../../../core/ports/store.ts';
import type { Run } from '../../../core/run.ts';
import type { Thread, ThreadFact } from '../../../core/thread.ts';
import type { Db } from './db.ts';
import { findRepeat, keepResult } from './idempotency.ts';
import { lockNames } from './locks.ts';
import { insertMessage, isInThread, questionOf } from './messages.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import type { RunRow, ThreadRow } from './rows.ts';
import { snapshotOf, toRun, toThread } from './rows.ts';
import { runsLeft } from './run-limits.ts';
import { startLog } from './run-log.ts';
import { insertRun, unfinishedRuns } from './runs.ts';
import { addTitleToSearch } from './search-index.ts';
import type { Session } from './session.ts';
import { messageAdded, recordFacts, runStarted } from './thread-events.ts';
import { findThreadRow, insertThread, lockThreadRow } from './threads.ts';
import { ensureUser, findUser } from './users.ts';

/** What a permitted beginning will write: either messages below a parent, or only an answer to a stored question. */
interface Plan {
  readonly starts: boolean;
  readonly runsLeft: RunsLeft;
  readonly ask: { readonly parentId: string | null } | { readonly questionId: MessageId };
}

type Refused = Extract<BeginResult, { readonly kind: 'refused' }>;

function refused(reason: Exclude<BeginRefusal, 'run_limit'>): Refused {
  return { kind: 'refused', reason };
}

const advance = prepared((db, param: Param<{ thread: string; head: string; next: number; title: string | null; now: number }>) =>
  db
    .updateTable('threads')
    .set({ head_id: param('head'), next_seq: param('next'), title: param('title'), updated_at: param('now') })
    .where('key', '=', param('thread')),
);

/** Stores messages and the run that answers them; a refusal has written nothing. */
export async function beginRun(db: Db, input: BeginRun): Promise<BeginResult> {
  await lockNames(db.session, input.owner, namesIn(input));
  const repeated = await repeatOf(db.session, input);
  if (repeated !== null) return repeated;
  const ref = 'ref' in input.thread ? input.thread.ref : { id: input.thread.create.id };
  const found = await lockThreadRow(db.session, input.owner, ref);
  const plan = await planFor(db.session, input, found);
  if ('kind' in plan) return plan;
  return carryOut(db, input, { plan, thread: found ?? (await newThread(db.session, input)) });
}

/** How a beginning would be refused just now; null when it would not. */
export async function refusalToBegin(session: Session, input: BeginRun): Promise<Refused | null> {
  const repeated = await repeatOf(session, input);
  if (repeated !== null) return repeated.kind === 'refused' ? repeated : null;
  const ref = 'ref' in input.thread ? input.thread.ref : { id: input.thread.create.id };
  const plan = await planFor(session, input, await findThreadRow(session, input.owner, ref));
  return 'kind' in plan ? plan : null;
}

/** What a beginning may create and another one must not create at the same time. */
function namesIn({ idempotency, thread }: BeginRun): readonly string[] {
  const names = idempotency === null ? [] : [`repeat ${idempotency.key}`];
  return 'create' in thread ? [...names, thread.create.id] : names;
}

async function repeatOf(session: Session, input: BeginRun): Promise<BeginResult | null> {
  const { idempotency, owner, now } = input;
  if (idempotency === null) return null;
  const user = await findUser(session, owner);
  if (user === undefined) return null;
  const earlier = await findRepeat<{ run: Run; thread: Thread }>(session, { userId: user.id, idempotency, now });
  if (earlier === null) return null;
  if (earlier === 'mismatch') return refused('idempotency_mismatch');
  const { run, thread } = earlier;
  return { kind: 'replayed', run: { ...run, snapshot: snapshotOf(run.snapshot) }, thread };
}

async function newThread(session: Session, input: BeginRun): Promise<ThreadRow> {
  if (!('create' in input.thread)) throw new Error('Only a thread that may be created can be planned without being there.');
  const user = await ensureUser(session, input.owner, input.now);
  return insertThread(session, { owner: input.owner, user, thread: input.thread.create, now: input.now });
}

async function planFor(session: Session, input: BeginRun, thread: ThreadRow | undefined): Promise<Plan | Refused> {
  if (thread === undefined && 'ref' in input.thread) return refused('thread_not_found');
  const head = thread?.head_id ?? null;
  if (input.expectedHead !== undefined && input.expectedHead !== head) return refused('head_moved');
  const ask = await planAsk(session, input, thread);
  if (ask === null) return refused('message_not_found');
  const ahead = thread === undefined ? [] : await unfinishedRuns(session, thread.key);
  const starts = input.lease !== null && ahead.length === 0;
  if (!starts && ahead.filter((run) => run.status === 'queued').length >= input.maxQueued) return refused('queue_full');
  const left = await runsLeft(session, input);
  return typeof left === 'string' ? { kind: 'refused', reason: 'run_limit', bound: left } : { starts, runsLeft: left, ask };
}

async function planAsk(session: Session, input: BeginRun, thread: ThreadRow | undefined): Promise<Plan['ask'] | null> {
  const { ask } = input;
  switch (ask.kind) {
    case 'append': {
      const parentId = ask.parent === 'head' ? (thread?.head_id ?? null) : ask.parent;
      if (parentId === null || ask.parent === 'head') return { parentId };
      return thread !== undefined && (await isInThread(session, thread.key, parentId)) ? { parentId } : null;
    }
    case 'again': {
      const questionId = thread === undefined ? null : await questionOf(session, thread.key, ask.message);
      return questionId === null ? null : { questionId };
    }
  }
}

async function carryOut(db: Db, input: BeginRun, decided: { plan: Plan; thread: ThreadRow }): Promise<BeginResult> {
  const { session } = db;
  const { plan } = decided;
  const asked = await storeQuestion(session, input, decided);
  const row = runRow(input, { ...decided, ...asked });
  await insertRun(session, row);
  const run = toRun(row);
  const changes = {
    head_id: row.answer_id,
    next_seq: row.answer_seq + 1,
    title: decided.thread.title ?? input.title,
    updated_at: input.now,
  };
  const threadRow = { ...decided.thread, ...changes };
  advance.post(session, {
    thread: threadRow.key,
    head: changes.head_id,
    next: changes.next_seq,
    title: changes.title,
    now: changes.updated_at,
  });
  if (plan.starts) await startLog(db, run);
  const titled = decided.thread.title === null && changes.title !== null;
  if (titled) addTitleToSearch(session, threadRow);
  const facts: ThreadFact[] = [...(titled ? [{ type: 'thread.changed' } as const] : []), ...asked.facts];
  if (plan.starts) facts.push(runStarted(run));
  await recordFacts(session, threadRow.key, facts);
  const thread = toThread(threadRow);
  const { idempotency, now } = input;
  if (idempotency !== null) {
    await keepResult(session, { userId: threadRow.user_id, idempotency, threadKey: threadRow.key, result: { run, thread }, now });
  }
  return { kind: 'begun', run, thread, runsLeft: plan.runsLeft };
}

interface Asked {
  readonly questionId: MessageId;
  readonly answerSeq: number;
  readonly facts: readonly ThreadFact[];
}

async function storeQuestion(session: Session, input: BeginRun, decided: { plan: Plan; thread: ThreadRow }): Promise<Asked> {
  const { plan, thread } = decided;
  if ('questionId' in plan.ask) return { questionId: plan.ask.questionId, answerSeq: thread.next_seq, facts: [] };
  const messages = input.ask.kind === 'append' ? input.ask.messages : [];
  const question = messages.at(-1);
  if (question === undefined) throw new Error('A run needs a message to answer.');
  const facts: ThreadFact[] = [];
  let parentId = plan.ask.parentId;
  for (const [index, message] of messages.entries()) {
    const seq = thread.next_seq + index;
    insertMessage(session, thread.user_id, {
      id: message.id,
      thread_key: thread.key,
      seq,
      parent_id: parentId,
      role: message.role,
      status: 'completed',
      parts: message.parts,
      run_id: null,
      model: null,
      usage: null,
      created_at: input.now,
    });
    facts.push(messageAdded({ id: message.id, seq, role: message.role, runId: null }));
    parentId = message.id;
  }
  return { questionId: question.id, answerSeq: thread.next_seq + messages.length, facts };
}

function runRow(input: BeginRun, made: Asked & { plan: Plan; thread: ThreadRow }): RunRow {
  const { plan, thread } = made;
  const lease = plan.starts ? input.lease : null;
  const runId: RunId = input.names.runId;
  return {
    id: runId,
    thread_key: thread.key,
    user_id: thread.user_id,
    message_id: made.questionId,
    answer_id: input.names.answerId,
    answer_seq: made.answerSeq,
    status: plan.starts ? 'running' : 'queued',
    attempt: plan.starts ? 1 : 0,
    snapshot: JSON.stringify(input.snapshot),
    usage: null,
    finish_reason: null,
    failure: null,
    process_id: lease?.processId ?? null,
    lease_until: lease?.until ?? null,
    created_at: input.now,
    ended_at: null,
    counted_for: thread.application_id,
    application_id: thread.application_id,
    external_id: thread.external_id,
    thread_id: thread.id,
    thread_number: thread.number,
  };
}
