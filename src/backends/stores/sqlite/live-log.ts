import { sql } from 'kysely';
import type { RunId } from '../../../core/ids.ts';
import type { Segment } from '../../../core/ports/store.ts';
import type { RunLog, StoredSegment } from '../sql/db.ts';
import type { Param } from '../sql/prepared.ts';
import { prepared } from '../sql/prepared.ts';
import { placeOf } from '../sql/run-log.ts';
import { findWritableRun } from '../sql/runs.ts';
import type { Session } from '../sql/session.ts';

const rowid = sql<number>`rowid`;

const add = prepared((db, param: Param<{ run: string; attempt: number; first: number; last: number; events: string }>) =>
  db
    .insertInto('run_log_live')
    .columns(['run_id', 'attempt', 'first_offset', 'last_offset', 'events'])
    .expression((eb) =>
      eb
        .selectFrom('runs')
        .where('id', '=', param('run'))
        .where('attempt', '=', param('attempt'))
        .where('status', '=', 'running')
        .select((column) => [
          'id',
          'attempt',
          column.val(param('first')).as('first_offset'),
          column.val(param('last')).as('last_offset'),
          column.val(param('events')).as('events'),
        ]),
    )
    .returning(rowid.as('rowid')),
);

const one = prepared((db, param: Param<{ row: number }>) =>
  db.selectFrom('run_log_live').select(['first_offset', 'events']).where(rowid, '=', param('row')),
);

const remove = prepared((db, param: Param<{ row: number }>) => db.deleteFrom('run_log_live').where(rowid, '=', param('row')));

const places = prepared((db) =>
  db
    .selectFrom('run_log_live')
    .select(['run_id', 'last_offset', rowid.as('rowid')])
    .orderBy(rowid),
);

interface Place {
  readonly rowid: number;
  readonly last: number;
}

/** The log of unfinished runs in a table without any key: where each run's rows lie is known only here, in memory. */
export interface LiveLog extends RunLog {
  /** Learns anew where rows lie; at the start, and whenever something was rolled back. */
  reload(): Promise<void>;
}

/** A live log over the store's only connection. */
export function liveLog(session: Session): LiveLog {
  const known = new Map<string, Place[]>();
  const placesOf = (runId: string): readonly Place[] => known.get(runId) ?? [];
  const remember = (runId: string, place: Place): void => {
    const rows = known.get(runId);
    if (rows === undefined) known.set(runId, [place]);
    else rows.push(place);
  };
  async function* read(runId: string, after: number): AsyncGenerator<StoredSegment> {
    const rows = placesOf(runId);
    const start = rows.findIndex((place) => place.last > after);
    if (start < 0) return;
    for (const place of rows.slice(start)) yield await segmentAt(session, place);
  }
  const appendOne = async (segment: Segment): Promise<boolean> => {
    const { runId, attempt, last } = segment;
    const place = placeOf(segment, placesOf(runId).at(-1)?.last ?? 0);
    if (place === 'stored') return (await findWritableRun(session, runId, attempt)) !== undefined;
    if (place === 'gap') return false;
    const added = await addSegment(session, segment);
    if (added === null) return false;
    remember(runId, { rowid: added, last });
    return true;
  };
  return {
    read,
    reload: async () => {
      known.clear();
      for (const row of await places.all(session, {})) remember(row.run_id, { rowid: row.rowid, last: row.last_offset });
    },
    lastOffset: async (runId) => placesOf(runId).at(-1)?.last ?? 0,
    append: async (segments) => {
      const refused = new Set<RunId>();
      for (const segment of segments) if (refused.has(segment.runId) || !(await appendOne(segment))) refused.add(segment.runId);
      return refused;
    },
    take: async (runId) => {
      const segments: StoredSegment[] = [];
      for (const place of placesOf(runId)) {
        segments.push(await segmentAt(session, place));
        await remove.run(session, { row: place.rowid });
      }
      known.delete(runId);
      return segments;
    },
  };
}

async function addSegment(session: Session, segment: Segment): Promise<number | null> {
  const { runId, attempt, first, last, events } = segment;
  const added = await add.first(session, { run: runId, attempt, first, last, events });
  return added?.rowid ?? null;
}

async function segmentAt(session: Session, place: Place): Promise<StoredSegment> {
  const row = await one.first(session, { row: place.rowid });
  if (row === undefined) throw new Error(`Row ${place.rowid} of the live log is missing.`);
  return row;
}
