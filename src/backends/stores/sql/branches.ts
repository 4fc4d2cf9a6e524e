import { type RawBuilder, type Selectable, sql } from 'kysely';
import type { MessageId, ThreadKey } from '../../../core/ids.ts';
import type { Message } from '../../../core/message.ts';
import type { RunContext } from '../../../core/ports/message-store.ts';
import type { Owner } from '../../../core/principal.ts';
import type { ThreadRef } from '../../../core/thread.ts';
import { isInThread } from './messages.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import { type MessageRow, toMessage } from './rows.ts';
import type { MessagesTable } from './schema.ts';
import type { Dialect, Session } from './session.ts';
import { textParam } from './text-param.ts';
import { findThreadRow } from './threads.ts';

interface Walk {
  readonly from: string;
  /** Steps toward the root. An answer that is not stored costs one and gives nothing. */
  readonly steps: number;
  readonly limit: number;
}

/** Stored messages from `from` toward the root, of a thread that is not deleted; `seq` falls along every branch. */
const branch = prepared((db, param: Param<Walk>, dialect) =>
  db
    .withRecursive('chain(id, depth)', (cte) =>
      cte.selectNoFrom([textParam(param('from'), dialect).as('id'), sql<number>`cast(1 as bigint)`.as('depth')]).unionAll(
        cte
          .selectFrom('chain')
          .where('chain.depth', '<', param('steps'))
          .where('chain.id', 'is not', null)
          .select((eb) => [
            eb.fn
              .coalesce(
                eb.selectFrom('messages').select('messages.parent_id').whereRef('messages.id', '=', 'chain.id'),
                eb.selectFrom('runs').select('runs.message_id').whereRef('runs.answer_id', '=', 'chain.id'),
              )
              .as('id'),
            sql<number>`chain.depth + 1`.as('depth'),
          ]),
      ),
    )
    .selectFrom('chain')
    .innerJoin(messagesByChain(dialect).as('messages'), 'messages.id', 'chain.id')
    .innerJoin('threads', 'threads.key', 'messages.thread_key')
    .where('threads.deleted_at', 'is', null)
    .selectAll('messages')
    .select('threads.id as thread_id')
    .orderBy('chain.depth')
    .limit(param('limit')),
);

/** Messages to join with a chain: PostgreSQL takes it for much longer than it is, and would read the whole table to join all at once. */
function messagesByChain(dialect: Dialect): RawBuilder<Selectable<MessagesTable>> {
  switch (dialect) {
    case 'sqlite':
      return sql.table('messages');
    case 'postgres':
      return sql`lateral (select * from messages where messages.id = chain.id limit 1)`;
  }
}

const contextStart = prepared((db, param: Param<{ thread: string }>) =>
  db
    .selectFrom('threads')
    .select(['carried_head', 'carried_turns'])
    .select(({ selectFrom }) =>
      selectFrom('attachments').select('attachments.id').whereRef('attachments.thread_key', '=', 'threads.key').limit(1).as('file'),
    )
    .where('key', '=', param('thread'))
    .where('deleted_at', 'is', null),
);

/** One page of a branch, newest first; null when the owner has no such thread or the thread no such message. */
export async function listMessages(
  session: Session,
  input: { owner: Owner; ref: ThreadRef; branch: MessageId | 'head'; limit: number },
): Promise<readonly Message[] | null> {
  const thread = await findThreadRow(session, input.owner, input.ref);
  if (thread === undefined) return null;
  const from = input.branch === 'head' ? thread.head_id : input.branch;
  if (from === null) return [];
  if (input.branch !== 'head' && !(await isInThread(session, thread.key, from))) return null;
  return (await branch.all(session, { from, steps: 2 * input.limit, limit: input.limit })).map(toMessage);
}

interface ContextInput {
  readonly threadKey: ThreadKey;
  readonly messageId: MessageId;
  readonly limit: number;
  readonly maxChars: number;
}

/** A question with its stored ancestors, oldest first, behind the turns its thread carries over from an earlier one; and whether it has files. */
export async function contextOf(session: Session, { threadKey, messageId, limit, maxChars }: ContextInput): Promise<RunContext> {
  const [thread, isThere, own] = await Promise.all([
    contextStart.first(session, { thread: threadKey }),
    isInThread(session, threadKey, messageId),
    newest(session, messageId, { limit, maxChars }),
  ]);
  if (thread === undefined || !isThere) return { messages: [], hasFiles: false };
  const reachedRoot = own[0]?.parentId === null;
  const hasFiles = thread.file !== null;
  if (!reachedRoot || thread.carried_head === null) return { messages: own, hasFiles };
  const carried = await newest(session, thread.carried_head, { limit: 2 * thread.carried_turns, maxChars });
  return { messages: [...carried, ...own], hasFiles };
}

const MESSAGES_PER_STEP = 50;

/** The latest messages up to `from`, oldest first: no more than `limit`, and none behind the one that goes beyond `maxChars`. */
async function newest(
  session: Session,
  from: string,
  { limit, maxChars }: { limit: number; maxChars: number },
): Promise<readonly Message[]> {
  const rows: MessageRow[] = [];
  let chars = 0;
  for (let next: string | null = from; next !== null && rows.length < limit && chars <= maxChars; ) {
    const step = Math.min(MESSAGES_PER_STEP, limit - rows.length);
    const found: readonly MessageRow[] = await branch.all(session, { from: next, steps: 2 * step, limit: step });
    for (const row of found) {
      if (chars > maxChars) break;
      rows.push(row);
      chars += row.parts.length;
    }
    next = found.at(-1)?.parent_id ?? null;
  }
  return rows.map(toMessage).reverse();
}
