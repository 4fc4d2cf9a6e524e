import { createAnswerParts } from '../../../core/answer-parts.ts';
import type { MessageId, RunId } from '../../../core/ids.ts';
import type { Part } from '../../../core/message.ts';
import type { LogBatch, LogBatchResult, RunEnd } from '../../../core/ports/store.ts';
import type { Owner } from '../../../core/principal.ts';
import type { Run, RunSnapshot } from '../../../core/run.ts';
import { lineOf, logEvent, parseLines } from '../../../core/run-event.ts';
import type { ThreadFact } from '../../../core/thread.ts';
import { denyUndecided } from './approvals.ts';
import { forgetCheckpoints } from './checkpoints.ts';
import { claimNext } from './claims.ts';
import type { Db } from './db.ts';
import { lockThread } from './locks.ts';
import { insertMessage, type NewMessageRow } from './messages.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import type { RunRow } from './rows.ts';
import { toJson, toRun } from './rows.ts';
import { liveEvents, placeOf } from './run-log.ts';
import { findRunRow, findWritableRun, type OpenRun, type WritableRun } from './runs.ts';
import type { RunsTable } from './schema.ts';
import type { Session } from './session.ts';
import { addFacts, messageAdded } from './thread-events.ts';
import { waitRun } from './wait-run.ts';

type EndColumns = Pick<RunsTable, 'id' | 'status' | 'usage' | 'finish_reason' | 'failure' | 'ended_at'>;

const close = prepared((db, param: Param<EndColumns>) =>
  db
    .updateTable('runs')
    .set({
      status: param('status'),
      usage: param('usage'),
      finish_reason: param('finish_reason'),
      failure: param('failure'),
      ended_at: param('ended_at'),
      lease_until: null,
    })
    .where('id', '=', param('id')),
);

const touch = prepared((db, param: Param<{ thread: string; now: number; events: number }>) =>
  db
    .updateTable('threads')
    .set({ updated_at: param('now'), event_count: param('events') })
    .where('key', '=', param('thread')),
);

const ended = prepared((db, param: Param<{ run: string; attempt: number; status: RunEnd['status']; last: number }>) =>
  db
    .selectFrom('runs')
    .innerJoin('run_logs', 'run_logs.run_id', 'runs.id')
    .where('runs.id', '=', param('run'))
    .where('runs.attempt', '=', param('attempt'))
    .where('runs.status', '=', param('status'))
    .where('run_logs.last_offset', '=', param('last'))
    .select('run_logs.events'),
);

/** Writes a flush of many runs on a connection that nobody else writes on. A run that is no longer the writer's gets nothing and is named in `fenced`. */
export async function appendLog(db: Db, batch: LogBatch): Promise<LogBatchResult> {
  const fenced = new Set(await db.log.append(batch.segments));
  for (const wait of batch.waits) {
    const { runId } = wait.segment;
    if (fenced.has(runId) || !(await waitRun(db, wait))) fenced.add(runId);
  }
  const started: Run[] = [];
  // A statement that fails may have ended the transaction: what another end wrote behind it would be committed by itself.
  for (const end of batch.ends) {
    const { runId } = end.segment;
    if (fenced.has(runId)) continue;
    const { isFenced, next } = await storeEnd(db, batch, end);
    if (isFenced) fenced.add(runId);
    if (next !== null) started.push(next);
  }
  return { fenced: [...fenced], started };
}

/** What became of an end, and the run that begins behind it. */
interface StoredEnd {
  readonly isFenced: boolean;
  readonly next: Run | null;
}

async function storeEnd(db: Db, { now, lease }: LogBatch, end: RunEnd): Promise<StoredEnd> {
  const run = await endingRun(db, end);
  if (run === null) return { isFenced: !(await standsThere(db, end)), next: null };
  await endRun(db, run, { end, now });
  const next = run.has_next && lease !== null ? await claimNext(db, run, lease) : null;
  return { isFenced: false, next };
}

/** Ends a run that waits; any other is given back as it is. Reaches into closed threads, whose queues a deletion has to end. */
export async function cancelRun(db: Db, input: { owner: Owner; runId: RunId; now: number }): Promise<Run | null> {
  const found = await findRunRow(db.session, input.owner, input.runId);
  if (found === undefined) return null;
  await lockThread(db.session, found.thread_key);
  const run = await findRunRow(db.session, input.owner, input.runId);
  if (run === undefined) return null;
  if (run.status !== 'queued' && run.status !== 'waiting') return toRun(run);
  const offset = (await db.log.lastOffset(run.id)) + 1;
  const events = lineOf(logEvent(input.runId, offset, { type: 'run.cancelled' }));
  const end: RunEnd = {
    segment: { runId: input.runId, attempt: run.attempt, first: offset, last: offset, events },
    status: 'cancelled',
    answer: { parts: await partsSoFar(db, run), status: 'cancelled', model: toRun(run).snapshot.model, usage: null },
    failure: null,
    finishReason: null,
  };
  return toRun({ ...run, ...(await endRun(db, run, { end, now: input.now })) });
}

/** What an attempt that has let go of the run had answered. */
async function partsSoFar(db: Db, run: RunRow): Promise<readonly Part[]> {
  const answered = createAnswerParts();
  const lines = run.attempt > 0 ? await liveEvents(db, run.id) : [];
  const place = { runId: run.id as RunId, answerId: run.answer_id as MessageId, first: 1 };
  for (const event of parseLines(lines, place)) answered.add(event);
  return answered.parts;
}

async function endingRun(db: Db, end: RunEnd): Promise<OpenRun | null> {
  const { runId, attempt } = end.segment;
  const [run, last] = await Promise.all([findWritableRun(db.session, runId, attempt), db.log.lastOffset(runId)]);
  return run !== undefined && placeOf(end.segment, last) === 'next' ? run : null;
}

/** Whether exactly this end is stored: its answer got lost on the way to the writer. */
export async function standsThere(db: Db, { segment, status }: RunEnd): Promise<boolean> {
  const stored = await ended.first(db.session, { run: segment.runId, attempt: segment.attempt, status, last: segment.last });
  return stored !== undefined && `\n${stored.events}`.endsWith(`\n${segment.events}`);
}

/** Gives what of the run is other than before. Call behind the locks of the run and its thread. */
async function endRun(db: Db, run: WritableRun, given: { end: RunEnd; now: number }): Promise<EndColumns> {
  const { columns, answer, facts } = rowsOf(run, given);
  await db.log.pack(given.end.segment);
  insertMessage(db.session, run.user_id, answer);
  close.post(db.session, columns);
  forgetAgent(db.session, run);
  touch.post(db.session, { thread: run.thread_key, now: given.now, events: run.event_count + facts.length });
  addFacts(db.session, { key: run.thread_key, before: run.event_count }, facts);
  return columns;
}

/** What an end writes besides the log. */
export interface EndRows {
  readonly columns: EndColumns;
  readonly answer: NewMessageRow;
  readonly facts: readonly ThreadFact[];
}

/** The rows of an end. */
export function rowsOf(run: WritableRun, { end, now }: { end: RunEnd; now: number }): EndRows {
  const usage = toJson(end.answer.usage);
  const { id, answer_id, answer_seq } = run;
  const columns = { id, status: end.status, usage, finish_reason: end.finishReason, failure: toJson(end.failure), ended_at: now };
  const answer: NewMessageRow = {
    id: answer_id,
    thread_key: run.thread_key,
    seq: answer_seq,
    parent_id: run.message_id,
    role: 'assistant',
    status: end.answer.status,
    parts: end.answer.parts,
    run_id: id,
    model: end.answer.model,
    usage,
    created_at: now,
  };
  const facts: readonly ThreadFact[] = [
    messageAdded({ id: answer_id as MessageId, seq: answer_seq, role: 'assistant', runId: id as RunId }),
    { type: 'run.ended', run_id: id, status: end.status },
  ];
  return { columns, answer, facts };
}

/** Ends what only a run of an agent has. */
export function forgetAgent(session: Session, { id, snapshot }: Pick<WritableRun, 'id' | 'snapshot'>): void {
  if ((JSON.parse(snapshot) as Pick<RunSnapshot, 'agent'>).agent === null) return;
  denyUndecided(session, id);
  forgetCheckpoints(session, id);
}
