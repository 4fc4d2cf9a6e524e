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
import { lockRuns, lockThread } from './locks.ts';
import { insertMessage } from './messages.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import type { RunRow } from './rows.ts';
import { toJson, toRun } from './rows.ts';
import { liveEvents, placeOf } from './run-log.ts';
import { findRunRow, findWritableRun, type OpenRun, type WritableRun } from './runs.ts';
import type { RunsTable } from './schema.ts';
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

/** Writes a flush of many runs. A run that is no longer the writer's gets nothing and is named in `fenced`. */
export async function appendLog(db: Db, batch: LogBatch): Promise<LogBatchResult> {
  await lockRuns(
    db.session,
    [...batch.waits, ...batch.ends].map(({ segment }) => segment.runId),
  );
  const fenced = new Set(await db.log.append(batch.segments));
  for (const wait of batch.waits) {
    const { runId } = wait.segment;
    if (fenced.has(runId) || !(await waitRun(db, wait))) fenced.add(runId);
  }
  const ends = batch.ends.filter(({ segment }) => !fenced.has(segment.runId));
  const started: Run[] = [];
  for (const { runId, next, isFenced } of await storeEnds(db, batch, ends)) {
    if (isFenced) fenced.add(runId);
    if (next !== null) started.push(next);
  }
  return { fenced: [...fenced], started };
}

/** What became of an end, and the run that begins behind it. */
interface StoredEnd {
  readonly runId: RunId;
  readonly isFenced: boolean;
  readonly next: Run | null;
}

async function storeEnds(db: Db, batch: LogBatch, ends: readonly RunEnd[]): Promise<readonly StoredEnd[]> {
  const stored: StoredEnd[] = [];
  switch (db.session.dialect) {
    case 'sqlite':
      // A statement that fails may have ended the transaction: what another end wrote behind it would be committed by itself.
      for (const end of ends) stored.push(await storeEnd(db, batch, end));
      break;
    case 'postgres':
      // Each is of another thread, so that all of them ask together; when one fails, the others have still to be done with their statements.
      for (const outcome of await Promise.allSettled(ends.map((end) => storeEnd(db, batch, end)))) {
        if (outcome.status === 'rejected') throw outcome.reason;
        stored.push(outcome.value);
      }
      break;
  }
  return stored;
}

async function storeEnd(db: Db, { now, lease }: LogBatch, end: RunEnd): Promise<StoredEnd> {
  const { runId } = end.segment;
  const run = await endingRun(db, end);
  if (run === null) return { runId, isFenced: !(await standsThere(db, end)), next: null };
  await endRun(db, run, { end, now });
  const next = run.has_next && lease !== null ? await claimNext(db, run, lease) : null;
  return { runId, isFenced: false, next };
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
async function standsThere(db: Db, { segment, status }: RunEnd): Promise<boolean> {
  const stored = await ended.first(db.session, { run: segment.runId, attempt: segment.attempt, status, last: segment.last });
  return stored !== undefined && `\n${stored.events}`.endsWith(`\n${segment.events}`);
}

/** Gives what of the run is other than before. Call behind the locks of the run and its thread. */
async function endRun(db: Db, run: WritableRun, given: { end: RunEnd; now: number }): Promise<EndColumns> {
  const { end, now } = given;
  const usage = toJson(end.answer.usage);
  const columns: EndColumns = {
    id: run.id,
    status: end.status,
    usage,
    finish_reason: end.finishReason,
    failure: toJson(end.failure),
    ended_at: now,
  };
  await db.log.pack(end.segment);
  insertMessage(db.session, run.user_id, {
    id: run.answer_id,
    thread_key: run.thread_key,
    seq: run.answer_seq,
    parent_id: run.message_id,
    role: 'assistant',
    status: end.answer.status,
    parts: end.answer.parts,
    run_id: run.id,
    model: end.answer.model,
    usage,
    created_at: now,
  });
  close.post(db.session, columns);
  if ((JSON.parse(run.snapshot) as Pick<RunSnapshot, 'agent'>).agent !== null) {
    denyUndecided(db.session, run.id);
    forgetCheckpoints(db.session, run.id);
  }
  const facts: readonly ThreadFact[] = [
    messageAdded({ id: run.answer_id as MessageId, seq: run.answer_seq, role: 'assistant', runId: run.id as RunId }),
    { type: 'run.ended', run_id: run.id, status: end.status },
  ];
  touch.post(db.session, { thread: run.thread_key, now, events: run.event_count + facts.length });
  addFacts(db.session, { key: run.thread_key, before: run.event_count }, facts);
  return columns;
}
