import type { RunId } from '../../../core/ids.ts';
import type { Segment } from '../../../core/ports/store.ts';
import type { RunLog } from '../sql/db.ts';
import { PACKED_ROW, placeOf } from '../sql/run-log.ts';
import { deadRows } from './dead-rows.ts';
import type { LiveRows, Packable } from './live-rows.ts';
import { type Chunk, type LogPlaces, logPlaces } from './log-places.ts';
import { createUndoList, type UndoList } from './undo-list.ts';

/**
 * The log of unfinished runs in a table without any key: where each run's rows lie is known only here, in memory, and must follow what the
 * transaction does.
 */
export interface LiveLog extends RunLog {
  /** To be used as the transaction goes on, goes back and ends. */
  readonly transaction: Omit<UndoList, 'push'>;
  /** To be called after whatever may have changed who writes to a run. */
  forgetWriters(): void;
  /** Whether ended runs have left so much that some of it is due to be cleared. */
  readonly clearing: boolean;
  /** Removes some of that, or of all; gives what is to be called once that is committed, null when nothing is to be removed. */
  clear(which: 'due' | 'all'): (() => void) | null;
}

/** A live log over the rows that are there. */
export function liveLog(rows: LiveRows): LiveLog {
  const undo = createUndoList();
  const places = logPlaces(undo);
  const table: Table = { rows, places, head: 0 };
  for (const { rowid, run_id: runId, first_offset: first, last_offset: last, size } of rows.load()) {
    places.add(runId, { row: rowid, first, last, size, events: null });
    table.head = rowid;
  }
  undo.settle();
  const dead = deadRows(rows, places.living(0).first);
  return {
    lastOffset: async (runId) => places.get(runId)?.last ?? 0,
    append: async (segments) => append(table, segments, (segment) => placeFor(table, segment)),
    start: async (segment) => void append(table, [segment], () => 'next'),
    write: async (segment) => {
      append(table, [segment], () => 'next');
      places.forgetWriter(segment.runId);
    },
    async *read(runId, after) {
      const { chunks = [] } = places.get(runId) ?? {};
      const start = chunks.findLastIndex((chunk) => chunk.first <= after + 1);
      for (const chunk of chunks.slice(Math.max(start, 0))) yield { first_offset: chunk.first, events: rows.read(chunk.rows) };
    },
    pack: async (last) => {
      const chunks = places.take(last.runId);
      packChunks(rows, chunks, last);
      const left = chunks.flatMap((chunk) => chunk.rows);
      undo.push(dead.add(last.runId, left));
    },
    removeAll: async (threadKey) => {
      for (const runId of rows.runsOf(threadKey)) {
        for (const chunk of places.take(runId)) rows.remove(chunk.rows);
        undo.push(dead.remove(runId));
      }
    },
    transaction: {
      get mark() {
        return undo.mark;
      },
      undo: (mark) => {
        undo.undo(mark);
        places.forgetWriters();
      },
      settle: undo.settle,
    },
    forgetWriters: places.forgetWriters,
    get clearing() {
      return dead.due;
    },
    clear: (which) => dead.step(places.living(table.head + 1), which),
  };
}

/** The rows and what is known of them; `head` is the last row that was written. */
interface Table {
  readonly rows: LiveRows;
  readonly places: LogPlaces;
  head: number;
}

type Admission = 'next' | 'stored' | 'refused';

/** Gives the runs that were refused. */
function append(table: Table, segments: readonly Segment[], admit: (segment: Segment) => Admission): ReadonlySet<RunId> {
  const refused = new Set<RunId>();
  const added: Segment[] = [];
  for (const segment of segments) {
    const { runId, attempt, first, last, events } = segment;
    const admission = refused.has(runId) ? 'refused' : admit(segment);
    if (admission === 'refused') refused.add(runId);
    if (admission !== 'next') continue;
    added.push(segment);
    table.places.add(runId, { row: table.head + added.length, first, last, size: events.length, events }).writer = attempt;
  }
  table.rows.add(table.head + 1, added);
  table.head += added.length;
  return refused;
}

function placeFor({ rows, places }: Table, segment: Segment): Admission {
  const { runId, attempt } = segment;
  const known = places.get(runId);
  const place = placeOf(segment, known?.last ?? 0);
  if (place === 'gap') return 'refused';
  return known?.writer === attempt || rows.isWritable(runId, attempt) ? place : 'refused';
}

const NOTHING: Packable = { rows: [], texts: [] };

function packChunks(rows: LiveRows, chunks: readonly Chunk[], { runId, first, last, events }: Segment): void {
  const newest = chunks.at(-1);
  const room = newest !== undefined && newest.size < PACKED_ROW;
  for (const [index, chunk] of chunks.entries()) {
    const more = chunk === newest && room ? events : null;
    const behind = chunks[index + 1]?.first ?? first;
    rows.pack({ runId, first: chunk.first, last: more === null ? behind - 1 : last }, chunk, more);
  }
  if (!room) rows.pack({ runId, first, last }, NOTHING, events);
}
