import type { RunId } from '../../../core/ids.ts';
import { textOf } from '../../../core/message.ts';
import type { RunEnd } from '../../../core/ports/store.ts';
import { rowsOf } from '../sql/end-run.ts';
import type { OpenRun } from '../sql/runs.ts';
import { indexWords } from '../sql/search-words-of.ts';
import type { Session } from '../sql/session.ts';
import { LAST_OFFSET } from './live-log.ts';
import { joined, listed, textsAt } from './parameters.ts';

/** Each run, and what may be queued behind it, is looked up by itself: a planner that takes few for unfinished would read them all. */
const OPEN = `select run.*, thread.event_count, ${LAST_OFFSET} as last_offset, queued.is_there is true as has_next
  from unnest(${textsAt(1)}, $2::bigint[]) as given (run_id, attempt)
  cross join lateral (select id, message_id, answer_id, answer_seq, snapshot, counted_for as application_id, user_id, thread_key from runs
    where id = given.run_id and attempt = given.attempt and status = 'running' limit 1) as run
  cross join lateral (select event_count from threads where key = run.thread_key limit 1) as thread
  left join lateral (select true as is_there from runs where counted_for = run.application_id and user_id = run.user_id
    and thread_key = run.thread_key and ended_at is null and status = 'queued' limit 1) as queued on true`;

type Value = string | number | null;

/** What of an end goes into its rows. */
const COLUMNS = {
  run_id: 'text',
  thread_key: 'text',
  question_id: 'text',
  answer_id: 'text',
  answer_seq: 'bigint',
  status: 'text',
  usage: 'text',
  finish_reason: 'text',
  failure: 'text',
  answer_status: 'text',
  parts: 'text',
  model: 'text',
  words: 'text',
  first_number: 'bigint',
  last_number: 'bigint',
  facts: 'text',
  packed: 'text',
  first_offset: 'bigint',
  last_offset: 'bigint',
  events: 'text',
  ended_at: 'bigint',
} as const;

type Column = keyof typeof COLUMNS;
type EndValues = Readonly<Record<Column, Value>>;

const NAMES = Object.keys(COLUMNS) as readonly Column[];

/**
 * All that this many ends write, in one statement: what begins a statement costs more than what it does for a row. Rows to change are named
 * by their keys besides, so that however the planner joins them with what they get, it reads no others.
 */
function endStatement(count: number): string {
  const place = (row: number, column: Column) => `$${row * NAMES.length + NAMES.indexOf(column) + 1}::${COLUMNS[column]}`;
  const rows = Array.from({ length: count }, (_, row) => row);
  const values = (...columns: readonly Column[]) =>
    `values ${rows.map((row) => `(${columns.map((column) => place(row, column)).join()})`).join()}`;
  const given = (...columns: readonly Column[]) => `(${values(...columns)}) as given (${columns.join()})`;
  const all = (column: Column) => `(${rows.map((row) => place(row, column)).join()})`;
  return `with closed as (update runs set status = given.status, usage = given.usage, finish_reason = given.finish_reason,
      failure = given.failure, ended_at = given.ended_at, lease_until = null
      from ${given('run_id', 'status', 'usage', 'finish_reason', 'failure', 'ended_at')} where id in ${all('run_id')} and id = given.run_id),
    touched as (update threads set updated_at = given.ended_at, event_count = given.last_number
      from ${given('thread_key', 'ended_at', 'last_number')} where key in ${all('thread_key')} and key = given.thread_key),
    noted as (insert into thread_events (thread_key, first_number, last_number, events)
      ${values('thread_key', 'first_number', 'last_number', 'facts')}),
    answered as (insert into messages (id, thread_key, seq, parent_id, role, status, parts, run_id, model, usage, created_at)
      select answer_id, thread_key, answer_seq, question_id, 'assistant', answer_status, parts, run_id, model, usage, ended_at from
      ${given('answer_id', 'thread_key', 'answer_seq', 'question_id', 'answer_status', 'parts', 'run_id', 'model', 'usage', 'ended_at')}),
    found as (insert into search_entries (thread_key, seq, words)
      select thread_key, answer_seq, array_to_tsvector(string_to_array(words, ' ')) from ${given('thread_key', 'answer_seq', 'words')}
      where words <> '' on conflict do nothing),
    taken as (delete from run_log_live where run_id in ${all('packed')} returning run_id, first_offset, last_offset, events),
    whole as (select * from taken union all select * from ${given('packed', 'first_offset', 'last_offset', 'events')} where packed is not null)
    insert into run_logs (run_id, first_offset, last_offset, events)
      select run_id, min(first_offset), max(last_offset), string_agg(events, E'\\n' order by first_offset) from whole group by run_id`;
}

/** Each of its own number of ends, whose sums are any number. Every connection plans each of them, which takes milliseconds. */
const END_STATEMENTS = [8, 2, 1].map((count) => ({ count, text: endStatement(count) }));

/** An open run, and where its log ends. */
export interface EndingRun extends OpenRun {
  readonly last_offset: number;
}

/** The runs of these ends to which their attempts may still write. Call behind the locks of the runs and their threads. */
export async function openRuns(session: Session, ends: readonly RunEnd[]): Promise<ReadonlyMap<RunId, EndingRun>> {
  if (ends.length === 0) return new Map();
  const segments = ends.map(({ segment }) => segment);
  const given = [joined(segments.map(({ runId }) => runId)), listed(segments.map(({ attempt }) => attempt))];
  const rows = (await session.all(OPEN, given)) as readonly EndingRun[];
  return new Map(rows.map((row) => [row.id as RunId, row]));
}

/** What is known of an end that is going to be stored. */
export interface Closing {
  readonly end: RunEnd;
  readonly run: EndingRun;
  /** Its log is known to fit into one row. */
  readonly fits: boolean;
}

/** Stores ends, but for the logs that may take more than a row. */
export function postEnds(session: Session, closings: readonly Closing[], now: number): void {
  const rows = closings.map((closing) => valuesOf(closing, now));
  let at = 0;
  for (const { count, text } of END_STATEMENTS) {
    for (; rows.length - at >= count; at += count) {
      session.post(
        text,
        rows.slice(at, at + count).flatMap((row) => NAMES.map((name) => row[name])),
      );
    }
  }
}

function valuesOf({ end, run, fits }: Closing, now: number): EndValues {
  const { columns, answer, facts } = rowsOf(run, { end, now });
  const { first, last, events } = end.segment;
  return {
    run_id: run.id,
    thread_key: run.thread_key,
    question_id: run.message_id,
    answer_id: run.answer_id,
    answer_seq: run.answer_seq,
    status: columns.status,
    usage: columns.usage,
    finish_reason: columns.finish_reason,
    failure: columns.failure,
    answer_status: answer.status,
    parts: JSON.stringify(answer.parts),
    model: answer.model,
    words: indexWords(run.user_id, textOf(answer.parts)),
    first_number: run.event_count + 1,
    last_number: run.event_count + facts.length,
    facts: JSON.stringify(facts),
    packed: fits ? run.id : null,
    first_offset: first,
    last_offset: last,
    events,
    ended_at: now,
  };
}
