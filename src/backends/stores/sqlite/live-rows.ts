import type { SQLInputValue } from 'node:sqlite';
import type { Segment } from '../../../core/ports/store.ts';
import type { Statements } from './statements.ts';

/** How many rows one statement writes: fewer statements for the same rows, without preparing one for every number. */
const GROUPS = [16, 4, 1] as const;

const insertOf = (rows: number): string => {
  const into = 'insert into run_log_live (rowid, run_id, attempt, first_offset, last_offset, events)';
  // With VALUES for one row only, a full disk would take back the whole transaction and not just this statement.
  return rows === 1
    ? `${into} select ?, ?, ?, ?, ?, ?`
    : `${into} values ${Array.from({ length: rows }, () => '(?, ?, ?, ?, ?, ?)').join(', ')}`;
};

const INSERTS: Readonly<Record<number, string>> = Object.fromEntries(GROUPS.map((rows) => [rows, insertOf(rows)]));

const WRITABLE = "select 1 from runs where id = ? and attempt = ? and status = 'running'";

/** Nothing when a row is missing. In the order of the rows, which is the order of the list. */
const JOINED = `select group_concat(events, char(10)) as events
  from (select live.events from json_each(?) as given join run_log_live as live on live.rowid = given.value)
  having count(*) = ?`;

const PACK = `insert into run_logs (run_id, first_offset, last_offset, events)
  select ?, ?, ?, group_concat(events, char(10)) || ?
  from (select live.events from json_each(?) as given join run_log_live as live on live.rowid = given.value)
  having count(*) = ?`;

const PACK_GIVEN = 'insert into run_logs (run_id, first_offset, last_offset, events) values (?, ?, ?, ?)';

const REMOVE_RANGE = 'delete from run_log_live where rowid >= ? and rowid < ?';
const REMOVE_LISTED = 'delete from run_log_live where rowid in (select value from json_each(?))';

const FORGET_ENDED = 'delete from run_log_live where run_id not in (select id from runs where ended_at is null)';
const FOUND = 'select rowid, run_id, first_offset, last_offset, length(events) as size from run_log_live order by rowid';

const RUNS_OF = 'select id from runs where thread_key = ?';

interface FoundRow {
  readonly rowid: number;
  readonly run_id: string;
  readonly first_offset: number;
  readonly last_offset: number;
  readonly size: number;
}

/** A row of a packed log. */
interface Packed {
  readonly runId: string;
  readonly first: number;
  readonly last: number;
}

/** Rows to pack, with their events where these are at hand. */
export interface Packable {
  readonly rows: readonly number[];
  readonly texts: readonly string[] | null;
}

/** The rows of the table `run_log_live`, which has no key but SQLite's own row numbers. */
export interface LiveRows {
  /** Whether this attempt may write to the run. */
  isWritable(runId: string, attempt: number): boolean;
  /** Writes segments as rows with consecutive numbers from `first` on. */
  add(first: number, segments: readonly Segment[]): void;
  /** The events of rows, in the order of the list. */
  read(rows: readonly number[]): string;
  /** Writes the events of rows, and behind them those that are given, as one row of a packed log. */
  pack(packed: Packed, from: Packable, more: string | null): void;
  /** Removes the rows from `from` up to, but not, `to`; gives how many there were. */
  removeRange(from: number, to: number): number;
  remove(rows: readonly number[]): number;
  /** Every row of an unfinished run in the order of writing; rows that ended runs have left behind are removed. */
  load(): readonly FoundRow[];
  runsOf(threadKey: string): readonly string[];
}

export function liveRows(statements: Statements): LiveRows {
  return {
    isWritable: (runId, attempt) => statements.all(WRITABLE, [runId, attempt]).length > 0,
    add: (first, segments) => addRows(statements, first, segments),
    read: (rows) => {
      const [found] = statements.all(JOINED, [JSON.stringify(rows), rows.length]) as readonly { readonly events: string }[];
      if (found === undefined) throw missing(rows);
      return found.events;
    },
    pack: ({ runId, first, last }, { rows, texts }, more) => {
      if (texts !== null) {
        statements.run(PACK_GIVEN, [runId, first, last, (more === null ? texts : [...texts, more]).join('\n')]);
        return;
      }
      const values = [runId, first, last, more === null ? '' : `\n${more}`, JSON.stringify(rows), rows.length];
      if (statements.run(PACK, values) !== 1) throw missing(rows);
    },
    removeRange: (from, to) => statements.run(REMOVE_RANGE, [from, to]),
    remove: (rows) => (rows.length === 0 ? 0 : statements.run(REMOVE_LISTED, [JSON.stringify(rows)])),
    load: () => {
      statements.run(FORGET_ENDED, []);
      return statements.all(FOUND, []) as readonly FoundRow[];
    },
    runsOf: (threadKey) => (statements.all(RUNS_OF, [threadKey]) as readonly { readonly id: string }[]).map(({ id }) => id),
  };
}

function addRows(statements: Statements, first: number, segments: readonly Segment[]): void {
  let done = 0;
  for (const group of GROUPS) {
    const sql = INSERTS[group] ?? insertOf(group);
    for (; segments.length - done >= group; done += group) {
      const values: SQLInputValue[] = [];
      for (let index = done; index < done + group; index += 1) {
        const segment = segments[index];
        if (segment !== undefined) {
          values.push(first + index, segment.runId, segment.attempt, segment.first, segment.last, segment.events);
        }
      }
      statements.run(sql, values);
    }
  }
}

function missing(rows: readonly number[]): Error {
  return new Error(`Some of the rows ${rows[0]} to ${rows.at(-1)} of the live log are missing.`);
}
