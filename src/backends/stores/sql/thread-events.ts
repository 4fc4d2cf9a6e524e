import { type Kysely, sql } from 'kysely';
import type { Message } from '../../../core/message.ts';
import type { Owner } from '../../../core/principal.ts';
import type { Run } from '../../../core/run.ts';
import type { ThreadEvent, ThreadFact, ThreadRef } from '../../../core/thread.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import type { Database } from './schema.ts';
import type { Session } from './session.ts';
import { findThreadRow } from './threads.ts';

interface Added {
  readonly thread: string;
  readonly more: number;
  readonly events: string;
}

const counting = (db: Kysely<Database>, param: Param<Added>) =>
  db
    .updateTable('threads')
    .set((eb) => ({ event_count: eb('event_count', '+', param('more')) }))
    .where('key', '=', param('thread'));

const COLUMNS = ['thread_key', 'first_number', 'last_number', 'events'] as const;

const rowOf = (param: Param<Added>) =>
  [
    sql<string>`key`.as('thread_key'),
    sql<number>`event_count - ${param('more')} + 1`.as('first_number'),
    sql<number>`event_count`.as('last_number'),
    sql<string>`${param('events')}`.as('events'),
  ] as const;

const countEvents = prepared((db, param: Param<Added>) => counting(db, param));

/** Behind `countEvents`. */
const addCounted = prepared((db, param: Param<Added>) =>
  db
    .insertInto('thread_events')
    .columns(COLUMNS)
    .expression(
      db
        .selectFrom('threads')
        .where('key', '=', param('thread'))
        .select([...rowOf(param)]),
    ),
);

/** Both at once, in which SQLite is not able. */
const countAndAdd = prepared((db, param: Param<Added>) =>
  db
    .with('counted', (cte) => counting(cte as Kysely<Database>, param).returning(['key', 'event_count']))
    .insertInto('thread_events')
    .columns(COLUMNS)
    .expression((eb) => eb.selectFrom('counted').select([...rowOf(param)])),
);

const addNumbered = prepared((db, param: Param<Added & { first: number; last: number }>) =>
  db
    .insertInto('thread_events')
    .values({ thread_key: param('thread'), first_number: param('first'), last_number: param('last'), events: param('events') }),
);

const behind = prepared((db, param: Param<{ thread: string; after: number; limit: number }>) =>
  db
    .selectFrom('thread_events')
    .select(['first_number', 'events'])
    .where('thread_key', '=', param('thread'))
    .where('last_number', '>', param('after'))
    .orderBy('first_number')
    .limit(param('limit')),
);

const FACTS_PER_ROW = 100;
const ROWS_PER_READ = 8;

/** As few as keep a row small. */
function* rowsOf(thread: string, facts: readonly ThreadFact[]): Iterable<Added> {
  for (let start = 0; start < facts.length; start += FACTS_PER_ROW) {
    const row = facts.slice(start, start + FACTS_PER_ROW);
    yield { thread, more: row.length, events: JSON.stringify(row) };
  }
}

/** Writes facts behind number `before`, for a caller that has locked the thread and stores its new count of events with the thread itself. */
export function addFacts(session: Session, thread: { readonly key: string; readonly before: number }, facts: readonly ThreadFact[]): void {
  let last = thread.before;
  for (const added of rowsOf(thread.key, facts)) {
    const first = last + 1;
    last += added.more;
    addNumbered.post(session, { ...added, first, last });
  }
}

/** Gives facts the thread's next numbers. */
export async function recordFacts(session: Session, threadKey: string, facts: readonly ThreadFact[]): Promise<void> {
  for (const added of rowsOf(threadKey, facts)) {
    switch (session.dialect) {
      case 'sqlite':
        countEvents.post(session, added);
        addCounted.post(session, added);
        break;
      case 'postgres':
        countAndAdd.post(session, added);
        break;
    }
  }
}

export function messageAdded(message: Pick<Message, 'id' | 'seq' | 'role' | 'runId'>): ThreadFact {
  return { type: 'message.added', message_id: message.id, seq: message.seq, role: message.role, run_id: message.runId };
}

export function runStarted(run: Run): ThreadFact {
  return { type: 'run.started', run_id: run.id, message_id: run.messageId, answer_id: run.answerId };
}

/** Thread events behind `after`, oldest first; null when the owner has no such thread. */
export async function listThreadEvents(
  session: Session,
  input: { owner: Owner; ref: ThreadRef; after: number; limit: number },
): Promise<readonly ThreadEvent[] | null> {
  const thread = await findThreadRow(session, input.owner, input.ref);
  if (thread === undefined) return null;
  const events: ThreadEvent[] = [];
  for (let after = input.after; events.length < input.limit; ) {
    const rows = await behind.all(session, { thread: thread.key, after, limit: ROWS_PER_READ });
    for (const row of rows) events.push(...eventsOf(row).filter((event) => event.number > after));
    after = events.at(-1)?.number ?? after;
    if (rows.length < ROWS_PER_READ) break;
  }
  return events.slice(0, input.limit);
}

function eventsOf(row: { first_number: number; events: string }): ThreadEvent[] {
  return (JSON.parse(row.events) as ThreadFact[]).map((fact, index) => ({ ...fact, number: row.first_number + index }));
}

/** Number of the newest thread event, 0 before the first; null when the owner has no such thread. */
export async function lastThreadEvent(session: Session, owner: Owner, ref: ThreadRef): Promise<number | null> {
  return (await findThreadRow(session, owner, ref))?.event_count ?? null;
}
