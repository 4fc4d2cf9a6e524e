import type { RunId } from '../../../core/ids.ts';
import type { LogPage, Segment } from '../../../core/ports/store.ts';
import type { Run } from '../../../core/run.ts';
import { lineOf, logEvent, startedFact } from '../../../core/run-event.ts';
import type { Db, StoredSegment } from './db.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';

/** Characters in one row of a packed log, so that a page of it costs no more than a page. */
export const PACKED_ROW = 131_072;

const packedBehind = prepared((db, param: Param<{ run: string; after: number }>) =>
  db
    .selectFrom('run_logs')
    .select(['first_offset', 'events'])
    .where('run_id', '=', param('run'))
    .where('last_offset', '>', param('after'))
    .orderBy('first_offset')
    .limit(1),
);

const packedEnd = prepared((db, param: Param<{ run: string }>) =>
  db.selectFrom('run_logs').select('last_offset').where('run_id', '=', param('run')).orderBy('first_offset', 'desc').limit(1),
);

const unfinished = prepared((db, param: Param<{ run: string }>) =>
  db.selectFrom('runs').select('id').where('id', '=', param('run')).where('ended_at', 'is', null),
);

/** Whether a segment continues a log that ends at `lastOffset`, stands in it already, or would leave a gap. */
export function placeOf(segment: Segment, lastOffset: number): 'next' | 'stored' | 'gap' {
  if (segment.first === lastOffset + 1) return 'next';
  return segment.last <= lastOffset ? 'stored' : 'gap';
}

/** Opens the log of a run that begins its first attempt, or says in it that a later one begins where the one before has let go of the run. */
export async function startLog(db: Db, run: Run): Promise<void> {
  const { id: runId, attempt } = run;
  const offset = attempt === 1 ? 1 : (await db.log.lastOffset(runId)) + 1;
  const event = logEvent(runId, offset, attempt === 1 ? startedFact(run) : { type: 'run.restarted', attempt });
  await db.log.start({ runId, attempt, first: offset, last: offset, events: lineOf(event) });
}

/** Whether a run's log, live or packed, has exactly these events at this place. */
export async function standsInLog(db: Db, { runId, first, last, events }: Segment): Promise<boolean> {
  const page = await readLog(db, { runId, after: first - 1, maxBytes: Buffer.byteLength(events) });
  return page.events.slice(0, last - first + 1).join('\n') === events;
}

/** Events of a run behind `after`. The log of a run that is gone is empty and ended. */
export async function readLog(db: Db, input: { runId: RunId; after: number; maxBytes: number }): Promise<LogPage> {
  const { runId, after, maxBytes } = input;
  const packed = await packedEnd.first(db.session, { run: runId });
  if (packed !== undefined) return readPacked(db, { ...input, last: packed.last_offset });
  const events: string[] = [];
  let room = maxBytes;
  for await (const segment of db.log.read(runId, after)) {
    room = fill(events, linesBehind(segment, after), room);
    if (room <= 0) break;
  }
  const ended = events.length === 0 && (await unfinished.first(db.session, { run: runId })) === undefined;
  return { events, ended };
}

async function readPacked(db: Db, read: { runId: RunId; after: number; maxBytes: number; last: number }): Promise<LogPage> {
  const events: string[] = [];
  let room = read.maxBytes;
  while (read.after + events.length < read.last && room > 0) {
    const after = read.after + events.length;
    const row = await packedBehind.first(db.session, { run: read.runId, after });
    if (row === undefined) throw new Error(`The log of run ${read.runId} has a gap behind ${after}.`);
    room = fill(events, linesBehind(row, after), room);
  }
  return { events, ended: read.after + events.length >= read.last };
}

/** Every event of an unfinished run. */
export async function liveEvents(db: Db, runId: string): Promise<readonly string[]> {
  const events: string[] = [];
  for await (const segment of db.log.read(runId, 0)) events.push(...segment.events.split('\n'));
  return events;
}

function linesBehind(segment: StoredSegment, after: number): readonly string[] {
  return segment.events.split('\n').slice(Math.max(0, after - segment.first_offset + 1));
}

/** Adds lines while there is room, the very first in any case; gives the room that is left, 0 when a line had to stay out. */
function fill(events: string[], lines: readonly string[], room: number): number {
  let left = room;
  for (const line of lines) {
    const bytes = Buffer.byteLength(line);
    if (bytes > left && events.length > 0) return 0;
    events.push(line);
    left -= bytes;
  }
  return left;
}
