import { PACKED_ROW } from '../sql/run-log.ts';
import type { Living } from './dead-rows.ts';
import type { UndoList } from './undo-list.ts';

/** Consecutive segments that make one row when the run has ended. */
export interface Chunk {
  /** Offset of its first event. */
  readonly first: number;
  readonly rows: number[];
  /** Characters. */
  size: number;
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
      undo.push(extend(place, row));
      return place;
    },
    take: (runId) => {
      const place = places.get(runId);
      if (place === undefined) return [];
      places.delete(runId);
      undo.push(() => places.set(runId, place));
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

/** Gives what takes the row out again. */
function extend(place: LogPlace, { row, first, last, size }: Row): () => void {
  const before = place.last;
  place.last = last;
  const chunk = place.chunks.at(-1);
  if (chunk === undefined || chunk.size >= PACKED_ROW) {
    place.chunks.push({ first, rows: [row], size });
    return () => {
      place.chunks.pop();
      place.last = before;
    };
  }
  chunk.rows.push(row);
  chunk.size += size;
  return () => {
    chunk.rows.pop();
    chunk.size -= size;
    place.last = before;
  };
}
