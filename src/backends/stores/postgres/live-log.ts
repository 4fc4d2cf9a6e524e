import type { RunId } from '../../../core/ids.ts';
import type { Segment } from '../../../core/ports/store.ts';
import type { RunLog, StoredSegment } from '../sql/db.ts';
import { PACKED_ROW } from '../sql/run-log.ts';
import type { Session } from '../sql/session.ts';
import type { KnownEnds } from './known-ends.ts';
import { joined, listed, textsAt } from './parameters.ts';

const SEGMENTS_PER_READ = 100;

/** Each run is looked up by itself: a planner that takes few for running would read them all. */
const GIVEN = `unnest(${textsAt(1)}, $2::bigint[], $3::bigint[], $4::bigint[], ${textsAt(5)})
  as given (run_id, attempt, first_offset, last_offset, events)
  cross join lateral (select from runs
    where runs.id = given.run_id and runs.attempt = given.attempt and runs.status = 'running' limit 1) as writable`;

/** Where the log of a `given` run ends. */
export const LAST_OFFSET = `coalesce((
  select last_offset from run_log_live where run_id = given.run_id order by first_offset desc limit 1), 0)`;

const ADD = `insert into run_log_live (run_id, attempt, first_offset, last_offset, events)
  select given.* from ${GIVEN} where given.first_offset = 1 + ${LAST_OFFSET}
  on conflict do nothing`;

/** For segments that are known to be the next of their runs: looking that up would cost as much as writing them. */
const ADD_NEXT = `insert into run_log_live (run_id, attempt, first_offset, last_offset, events)
  select given.* from ${GIVEN}`;

const START = 'insert into run_log_live (run_id, attempt, first_offset, last_offset, events) values ($1, $2, $3, $4, $5)';

const STORED = `select given.run_id from ${GIVEN} join run_log_live stored
  on stored.run_id = given.run_id and stored.first_offset = given.first_offset
  and stored.attempt = given.attempt and stored.last_offset = given.last_offset and stored.events = given.events`;

const LAST = 'select last_offset from run_log_live where run_id = $1 order by first_offset desc limit 1';

const BEHIND = `select first_offset, last_offset, events from run_log_live
  where run_id = $1 and first_offset >= coalesce((
    select first_offset from run_log_live where run_id = $1 and first_offset <= $2 order by first_offset desc limit 1), 0)
  order by first_offset limit ${SEGMENTS_PER_READ}`;

/** Each segment goes to the row that holds the character it begins with, when all are laid end to end. */
const PACK = `with taken as (delete from run_log_live where run_id = $1 returning first_offset, last_offset, events),
  whole as (select * from taken union all select $2::bigint, $3::bigint, $4::text),
  placed as (select *, (sum(length(events)) over (order by first_offset) - length(events))::bigint / ${PACKED_ROW} as place from whole)
  insert into run_logs (run_id, first_offset, last_offset, events)
  select $1, min(first_offset), max(last_offset), string_agg(events, E'\\n' order by first_offset) from placed group by place`;

/** Less than a row holds, as a log's first event is not counted. */
const WHOLE = PACKED_ROW / 2;

const REMOVE_ALL = 'delete from run_log_live where run_id in (select id from runs where thread_key = $1)';

interface ReadRow extends StoredSegment {
  readonly last_offset: number;
}

/** The logs of unfinished runs as rows by run and first offset, so that of two writers of one place at most one succeeds. */
export function liveLog(session: Session, ends?: KnownEnds): RunLog {
  async function* read(runId: string, after: number): AsyncGenerator<StoredSegment> {
    let next = after + 1;
    for (;;) {
      const rows = (await session.all(BEHIND, [runId, next])) as readonly ReadRow[];
      for (const row of rows) if (row.last_offset >= next) yield row;
      const last = rows.at(-1);
      if (last === undefined || rows.length < SEGMENTS_PER_READ) return;
      next = last.last_offset + 1;
    }
  }
  return {
    read,
    lastOffset: async (runId) => {
      const rows = (await session.all(LAST, [runId])) as readonly { last_offset: number }[];
      return rows[0]?.last_offset ?? 0;
    },
    start: async ({ runId, attempt, first, last, events }) => {
      session.post(START, [runId, attempt, first, last, events]);
    },
    write: async ({ runId, attempt, first, last, events }) => {
      session.post(START, [runId, attempt, first, last, events]);
    },
    append: async (segments) => {
      const refused = new Set<RunId>();
      for (const round of roundsOf(segments)) {
        const open = round.filter((segment) => !refused.has(segment.runId));
        if (await addSegments(session, open, ends)) continue;
        for (const { runId } of await refusedOf(session, open)) refused.add(runId);
      }
      return refused;
    },
    pack: async ({ runId, first, last, events }) => {
      session.post(PACK, [runId, first, last, events]);
    },
    removeAll: async (threadKey) => {
      session.post(REMOVE_ALL, [threadKey]);
    },
  };
}

/** Whether the log that ends with this segment is known to fit into one row of packed logs, which most do. */
export function fitsOneRow(segment: Segment, ends: KnownEnds): boolean {
  const before = ends.sizeBefore(segment);
  return before !== null && before + segment.events.length < WHOLE;
}

/** Segments in groups in which no run comes twice, for statements that see only what was there before them. */
function roundsOf(segments: readonly Segment[]): readonly (readonly Segment[])[] {
  const rounds: Segment[][] = [];
  const used = new Map<RunId, number>();
  for (const segment of segments) {
    const round = used.get(segment.runId) ?? 0;
    used.set(segment.runId, round + 1);
    const group = rounds[round];
    if (group === undefined) rounds.push([segment]);
    else group.push(segment);
  }
  return rounds;
}

/** Writes segments of different runs, sending all before it waits; whether all of them were written now. */
export async function addSegments(session: Session, segments: readonly Segment[], ends?: KnownEnds): Promise<boolean> {
  const next = segments.filter((segment) => ends?.isNext(segment));
  const others = segments.filter((segment) => !ends?.isNext(segment));
  const added = await Promise.all([add(session, ADD_NEXT, next), add(session, ADD, others)]);
  return added[0] + added[1] === segments.length;
}

/** Those of them that do not stand there, or are no longer their writer's: an answer that got lost makes the writer write once more. */
export async function refusedOf(session: Session, segments: readonly Segment[]): Promise<readonly Segment[]> {
  const rows = (await session.all(STORED, columnsOf(segments))) as readonly { run_id: RunId }[];
  const stored = new Set(rows.map((row) => row.run_id));
  return segments.filter((segment) => !stored.has(segment.runId));
}

async function add(session: Session, sql: string, segments: readonly Segment[]): Promise<number> {
  return segments.length === 0 ? 0 : session.run(sql, columnsOf(segments));
}

function columnsOf(segments: readonly Segment[]): readonly string[] {
  return [
    joined(segments.map((segment) => segment.runId)),
    listed(segments.map((segment) => segment.attempt)),
    listed(segments.map((segment) => segment.first)),
    listed(segments.map((segment) => segment.last)),
    joined(segments.map((segment) => segment.events)),
  ];
}
