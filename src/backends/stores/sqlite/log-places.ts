import { PACKED_ROW } from '../sql/run-log.ts';
import type { Living } from './dead-rows.ts';
import type { UndoList } from './undo-list.ts';

/** Characters of all unfinished runs that stay in memory, so that their rows need not be read to be packed. */
const MOST_KEPT = 4_194_304;

/** Consecutive segments that make one row when the run has ended. */
export interface Chunk {
  /** Offset of its first event. */
  readonly first: number;
  readonly rows: number[];
  /** Characters. */
  size: number;
  /** The events of its rows; null when they are not kept. */
  texts: string[] | null;
}

/** Where the log of one unfinished run lies. */
interface LogPlace {
  /** Offset of the last event. */
  last: number;
  /** The attempt that was found to be the one that may write; null while that is to be found out. */
  writer: number | null;
  readonly chunks: Chunk[];
}

interface Row {
  readonly row: number;
  readonly first: number;
  readonly last: number;
  readonly size: number;
  /** Null when they were not read. */
  readonly events: string | null;
}

/** Where the rows of unfinished runs lie; the only index there is. */
export interface LogPlaces {
  get(runId: string): LogPlace | undefined;
  /** Adds a row to the end of a run's log. */
  add(runId: string, row: Row): LogPlace;
  /** Forgets a run; gives its chunks. */
  take(runId: string): readonly Chunk[];
  forgetWriters(): void;
  forgetWriter(runId: string): void;
  /** `behind`: what counts as the first row where there is none. */
  living(behind: number): Living;
}

/** No places yet; whatever changes them says to `undo` how it is taken back. */
export function logPlaces(undo: UndoList): LogPlaces {
  const places = new Map<string, LogPlace>();
  const kept: Kept = { size: 0 };
  const open = (runId: string): LogPlace => {
    const place: LogPlace = { last: 0, writer: null, chunks: [] };
    places.set(runId, place);
    undo.push(() => places.delete(runId));
    return place;
  };
  return {
    get: (runId) => places.get(runId),
    add: (runId, row) => {
      const place = places.get(runId) ?? open(runId);
      undo.push(extend(place, row, kept));
      return place;
    },
    take: (runId) => {
      const place = places.get(runId);
      if (place === undefined) return [];
      places.delete(runId);
      count(kept, place, -1);
      undo.push(() => {
        places.set(runId, place);
        count(kept, place, 1);
      });
      return place.chunks;
    },
    forgetWriters: () => {
      for (const place of places.values()) place.writer = null;
    },
    forgetWriter: (runId) => {
      const place = places.get(runId);
      if (place !== undefined) place.writer = null;
    },
    living: (behind) => {
      let first = behind;
      let count = 0;
      for (const { chunks } of places.values()) {
        first = Math.min(first, chunks[0]?.rows[0] ?? behind);
        for (const chunk of chunks) count += chunk.rows.length;
      }
      return { first, count };
    },
  };
}

/** Characters of the texts of all chunks that have them. */
interface Kept {
  size: number;
}

function count(kept: Kept, { chunks }: LogPlace, factor: 1 | -1): void {
  for (const { texts, size } of chunks) if (texts !== null) kept.size += factor * size;
}

/** Gives what takes the row out again. */
function extend(place: LogPlace, row: Row, kept: Kept): () => void {
  const before = place.last;
  const newest = place.chunks.at(-1);
  const opens = newest === undefined || newest.size >= PACKED_ROW;
  const chunk: Chunk = opens ? { first: row.first, rows: [], size: 0, texts: [] } : newest;
  if (opens) place.chunks.push(chunk);
  addTo(chunk, row, kept);
  place.last = row.last;
  return () => {
    chunk.rows.pop();
    chunk.size -= row.size;
    if (chunk.texts?.pop() !== undefined) kept.size -= row.size;
    if (opens) place.chunks.pop();
    place.last = before;
  };
}

/** A chunk keeps all its texts or none. */
function addTo(chunk: Chunk, { row, size, events }: Row, kept: Kept): void {
  if (chunk.texts !== null) {
    if (events !== null && kept.size + size <= MOST_KEPT) {
      chunk.texts.push(events);
      kept.size += size;
    } else {
      kept.size -= chunk.size;
      chunk.texts = null;
    }
  }
  chunk.rows.push(row);
  chunk.size += size;
}
