import type { MessageId } from '../../../core/ids.ts';
import type { TagChanges, ThreadChanges } from '../../../core/ports/thread-query.ts';
import type { Owner } from '../../../core/principal.ts';
import type { Thread, ThreadRef } from '../../../core/thread.ts';
import { isInThread } from './messages.ts';
import type { ThreadRow } from './rows.ts';
import { toThread } from './rows.ts';
import type { ThreadsTable } from './schema.ts';
import { changeTitleInSearch } from './search-index.ts';
import type { Session } from './session.ts';
import { builders, runOf } from './session.ts';
import { recordFacts } from './thread-events.ts';
import { lockThreadRow } from './threads.ts';

type Columns = { -readonly [Column in keyof ThreadsTable]?: ThreadsTable[Column] };

/** Changes the named fields and nothing else; null when the owner has no such thread. */
export async function changeThread(
  session: Session,
  input: { owner: Owner; ref: ThreadRef; changes: ThreadChanges; now: number },
): Promise<Thread | null> {
  const thread = await lockThreadRow(session, input.owner, input.ref);
  if (thread === undefined) return null;
  const columns = columnsOf(input.changes);
  if (Object.keys(columns).length === 0) return toThread(thread);
  return changeColumns(session, thread, { ...columns, updated_at: input.now });
}

/** Adds tags to those a thread has, or takes them away: nobody else's change gets lost. */
export async function changeTags(
  session: Session,
  input: { owner: Owner; ref: ThreadRef; changes: TagChanges; now: number },
): Promise<Thread | 'thread_not_found' | 'too_many_tags'> {
  const thread = await lockThreadRow(session, input.owner, input.ref);
  if (thread === undefined) return 'thread_not_found';
  const { add = [], remove = [], most } = input.changes;
  const before = JSON.parse(thread.tags) as readonly string[];
  const gone = new Set(remove);
  const tags = [...new Set([...before, ...add])].filter((tag) => !gone.has(tag));
  if (tags.length > most && tags.length > before.length) return 'too_many_tags';
  const json = JSON.stringify(tags);
  return json === thread.tags ? toThread(thread) : changeColumns(session, thread, { tags: json, updated_at: input.now });
}

async function changeColumns(session: Session, thread: ThreadRow, columns: Columns): Promise<Thread> {
  const changed = { ...thread, ...columns };
  await update(session, thread.key, columns);
  if (changed.title !== thread.title) await changeTitleInSearch(session, changed);
  return toThread(changed);
}

/** Makes a message, or an answer that is still to come, the thread's head. */
export async function setHead(
  session: Session,
  input: { owner: Owner; ref: ThreadRef; messageId: MessageId; now: number },
): Promise<Thread | 'thread_not_found' | 'message_not_found'> {
  const thread = await lockThreadRow(session, input.owner, input.ref);
  if (thread === undefined) return 'thread_not_found';
  if (!(await isInThread(session, thread.key, input.messageId))) return 'message_not_found';
  const columns = { head_id: input.messageId, updated_at: input.now };
  await update(session, thread.key, columns);
  return toThread({ ...thread, ...columns });
}

async function update(session: Session, threadKey: string, columns: Columns): Promise<void> {
  await runOf(session, builders[session.dialect].updateTable('threads').set(columns).where('key', '=', threadKey));
  await recordFacts(session, threadKey, [{ type: 'thread.changed' }]);
}

function columnsOf(changes: ThreadChanges): Columns {
  const columns: Columns = {};
  if (changes.title !== undefined) columns.title = changes.title;
  if (changes.model !== undefined) columns.model = changes.model;
  if (changes.agent !== undefined) columns.agent = changes.agent;
  if (changes.tags !== undefined) columns.tags = JSON.stringify(changes.tags);
  if (changes.archived !== undefined) columns.archived = changes.archived ? 1 : 0;
  if (changes.metadata !== undefined) columns.metadata = JSON.stringify(changes.metadata);
  return columns;
}
