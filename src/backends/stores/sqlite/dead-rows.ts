import type { LiveRows } from './live-rows.ts';

/** Few enough to be removed between two flushes without keeping the second one waiting. */
const ROWS_PER_STEP = 2048;
const ROWS_WORTH_A_STEP = 512;
/** More than these and the living beside them, and they go one by one: else a long run would keep all that come behind its first row. */
const MOST_ROWS = 16_384;

/** The rows of unfinished runs. */
export interface Living {
  /** Behind the last row when there is none. */
  readonly first: number;
  readonly count: number;
}

/**
 * The rows that ended runs have left in the live log. They go in the order of the table, whole pages at a time: the rows of one run lie
 * among those of all others, and to remove them at its end would write each of these pages once more.
 */
export interface DeadRows {
  /** Takes a run's rows; gives what takes that back. */
  add(runId: string, rows: readonly number[]): () => void;
  /** Removes a run's rows at once; gives what takes that back. */
  remove(runId: string): () => void;
  /** Whether it is worth a step. */
  readonly due: boolean;
  /** Removes a step's worth, in a transaction of its own; gives what is to be called once that is committed, null when nothing is to be removed. */
  step(living: Living, which: 'due' | 'all'): (() => void) | null;
}

/** No row of the table lies before `start`. */
export function deadRows(rows: Pick<LiveRows, 'remove' | 'removeRange'>, start: number): DeadRows {
  const dead = new Map<string, readonly number[]>();
  let from = start;
  let count = 0;
  let added = 0;
  /** Rows on their way out although living ones lie before them. */
  let leaving: { readonly runIds: readonly string[]; readonly rows: readonly number[] } | null = null;

  const stepRange = (end: number): (() => void) => {
    const to = Math.min(end, from + ROWS_PER_STEP);
    const removed = rows.removeRange(from, to);
    return () => {
      from = to;
      count -= removed;
      if (to === end) added = 0;
      for (const [runId, of] of dead) if ((of.at(-1) ?? 0) < to) dead.delete(runId);
    };
  };

  const stepLeaving = (): (() => void) => {
    const { runIds, rows: all } = leaving ?? { runIds: [...dead.keys()], rows: [...dead.values()].flat().sort((a, b) => a - b) };
    const removed = rows.remove(all.slice(0, ROWS_PER_STEP));
    return () => {
      count -= removed;
      leaving = all.length > ROWS_PER_STEP ? { runIds, rows: all.slice(ROWS_PER_STEP) } : null;
      if (leaving === null) for (const runId of runIds) dead.delete(runId);
    };
  };

  return {
    add: (runId, of) => {
      dead.set(runId, of);
      count += of.length;
      added += of.length;
      return () => {
        dead.delete(runId);
        count -= of.length;
      };
    },
    remove: (runId) => {
      const of = dead.get(runId) ?? [];
      const removed = rows.remove(of);
      dead.delete(runId);
      count -= removed;
      return () => {
        dead.set(runId, of);
        count += removed;
      };
    },
    get due() {
      return added >= ROWS_WORTH_A_STEP || leaving !== null;
    },
    step: (living, which) => {
      if (dead.size === 0) return null;
      if (living.first - from >= (which === 'all' ? 1 : ROWS_WORTH_A_STEP)) return stepRange(living.first);
      if (leaving !== null || which === 'all' || count > MOST_ROWS + living.count) return stepLeaving();
      added = 0;
      return null;
    },
  };
}
