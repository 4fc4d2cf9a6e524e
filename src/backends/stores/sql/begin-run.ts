import type { MessageId, RunId } from '../../../core/ids.ts';
import type { BeginRefusal, BeginResult, BeginRun, RunsLeft } from '../../../core/ports/store.ts';
import type { Run } from '../../../core/run.ts';
import type { Thread, ThreadFact } from '../../../core/thread.ts';
import type { Db } from './db.ts';
import { findRepeat, keepResult } from './idempotency.ts';
import { lockNamedThreads, lockNames } from './locks.ts';
import { insertMessage, isInThread, questionOf } from './messages.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import type { RunRow, ThreadRow } from './rows.ts';
import { runWith, snapshotOf, toThread } from './rows.ts';
import { runsLeft } from './run-limits.ts';
import { startLog } from './run-log.ts';
import { insertRun, unfinishedRuns } from './runs.ts';
import type { ThreadsTable } from './schema.ts';
import { addTitleToSearch } from './search-index.ts';
import type { Session } from './session.ts';
import { addFacts, messageAdded, runStarted } from './thread-events.ts';
import { findThreadRow, insertThread, lockThreadRow, newThreadRow } from './threads.ts';
import { ensureUser, findUser, type UserRow } from './users.ts';

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

type Changes = Pick<ThreadsTable, 'head_id' | 'next_seq' | 'event_count' | 'title' | 'updated_at'>;

const advance = prepared((db, param: Param<Pick<ThreadsTable, 'key' | keyof Changes>>) =>
  db
    .updateTable('threads')
    .set({
      head_id: param('head_id'),
      next_seq: param('next_seq'),
      event_count: param('event_count'),
      title: param('title'),
      updated_at: param('updated_at'),
    })
    .where('key', '=', param('key')),
);

/** Stores messages and the run that answers them; a refusal has written nothing. */
export async function beginRun(db: Db, input: BeginRun): Promise<BeginResult> {
  if (!db.session.shared) await lockNames(db.session, input.owner, namesIn(input));
  const repeated = await repeatOf(db.session, input);
  if (repeated !== null) return repeated;
  const ref = 'ref' in input.thread ? input.thread.ref : { id: input.thread.create.id };
  const [found, user] = await Promise.all([lockThreadRow(db.session, input.owner, ref), ownerOfNew(db.session, input)]);
  const plan = await planFor(db.session, input, found);
  if ('kind' in plan) return plan;
  return carryOut(db, input, { plan, thread: found ?? (await newThread(db.session, input, user)), isNew: found === undefined });
}

/** Takes the locks of beginnings that share a transaction, in the order of all transactions. */
export async function lockBeginnings(session: Session, inputs: readonly BeginRun[]): Promise<void> {
  for (const input of inputs) await lockNames(session, input.owner, namesIn(input));
  const named = inputs.flatMap(({ owner, thread }) =>
    'ref' in thread && 'id' in thread.ref ? [{ ...owner, threadId: thread.ref.id }] : [],
  );
  if (named.length > 1) await lockNamedThreads(session, named);
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

/** Asked for together with the thread that may turn out to be new. */
async function ownerOfNew(session: Session, { owner, thread }: BeginRun): Promise<UserRow | undefined> {
  return 'create' in thread ? findUser(session, owner) : undefined;
}

async function newThread(session: Session, input: BeginRun, known: UserRow | undefined): Promise<ThreadRow> {
  if (!('create' in input.thread)) throw new Error('Only a thread that may be created can be planned without being there.');
  const user = known ?? (await ensureUser(session, input.owner, input.now));
  return newThreadRow(session, { owner: input.owner, user, thread: input.thread.create, now: input.now });
}

async function planFor(session: Session, input: BeginRun, thread: ThreadRow | undefined): Promise<Plan | Refused> {
  if (thread === undefined && 'ref' in input.thread) return refused('thread_not_found');
  const head = thread?.head_id ?? null;
  if (input.expectedHead !== undefined && input.expectedHead !== head) return refused('head_moved');
  const ask = await planAsk(session, input, thread);
  if (ask === null) return refused('message_not_found');
  const ahead = thread === undefined ? [] : await unfinishedRuns(session, { ...thread, thread_key: thread.key });
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

/** What is to be done in a thread, as it is before. */
interface Decided {
  readonly plan: Plan;
  readonly thread: ThreadRow;
  readonly isNew: boolean;
}

async function carryOut(db: Db, input: BeginRun, decided: Decided): Promise<BeginResult> {
  const { session } = db;
  const { plan } = decided;
  const asked = storeQuestion(session, input, decided);
  const row = runRow(input, { ...decided, ...asked });
  insertRun(session, row);
  const run = runWith(row, input.snapshot);
  if (plan.starts) await startLog(db, run);
  const threadRow = advanceThread(session, input, { ...decided, run, facts: asked.facts });
  const thread = toThread(threadRow);
  const { idempotency, now } = input;
  if (idempotency !== null) {
    await keepResult(session, { userId: threadRow.user_id, idempotency, threadKey: threadRow.key, result: { run, thread }, now });
  }
  return { kind: 'begun', run, thread, runsLeft: plan.runsLeft };
}

/** Writes the thread as the run leaves it, in one statement, new or not. */
function advanceThread(session: Session, input: BeginRun, given: Decided & { run: Run; facts: readonly ThreadFact[] }): ThreadRow {
  const { plan, thread: before, isNew, run } = given;
  const title = before.title ?? input.title;
  const titled = before.title === null && title !== null;
  const facts: ThreadFact[] = [...(titled ? [{ type: 'thread.changed' } as const] : []), ...given.facts];
  if (plan.starts) facts.push(runStarted(run));
  const thread: ThreadRow = {
    ...before,
    head_id: run.answerId,
    next_seq: run.answerSeq + 1,
    event_count: before.event_count + facts.length,
    title,
    updated_at: input.now,
  };
  if (isNew) insertThread(session, thread);
  else advance.post(session, thread);
  if (titled && !isNew) addTitleToSearch(session, thread);
  addFacts(session, { key: thread.key, before: before.event_count }, facts);
  return thread;
}

interface Asked {
  readonly questionId: MessageId;
  readonly answerSeq: number;
  readonly facts: readonly ThreadFact[];
}

function storeQuestion(session: Session, input: BeginRun, decided: Decided): Asked {
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

function runRow(input: BeginRun, made: Asked & Decided): RunRow {
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
    event_count: thread.event_count,
    deleted_at: null,
  };
}
