import { sql } from 'kysely';
import type { MessageId, ThreadKey } from '../../../core/ids.ts';
import type { Message } from '../../../core/message.ts';
import type { Owner } from '../../../core/principal.ts';
import type { ThreadRef } from '../../../core/thread.ts';
import { isInThread } from './messages.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import { toMessage } from './rows.ts';
import type { Session } from './session.ts';
import { findThreadRow } from './threads.ts';

interface Walk {
  readonly from: string;
  /** Steps toward the root. An answer that is not stored costs one and gives nothing. */
  readonly steps: number;
  readonly before: number;
  readonly limit: number;
}

/** Stored messages from `from` toward the root, of a thread that is not deleted; `seq` falls along every branch. */
const branch = prepared((db, param: Param<Walk>) =>
  db
    .withRecursive('chain(id, depth)', (cte) =>
      cte.selectNoFrom([sql<string | null>`cast(${param('from')} as text)`.as('id'), sql<number>`1`.as('depth')]).unionAll(
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
    .innerJoin('messages', 'messages.id', 'chain.id')
    .innerJoin('threads', 'threads.key', 'messages.thread_key')
    .where('threads.deleted_at', 'is', null)
    .where('messages.seq', '<', param('before'))
    .selectAll('messages')
    .select('threads.id as thread_id')
    .orderBy('chain.depth')
    .limit(param('limit')),
);

const contextStart = prepared((db, param: Param<{ thread: string }>) =>
  db.selectFrom('threads').select(['carried_head', 'carried_turns']).where('key', '=', param('thread')).where('deleted_at', 'is', null),
);

const EVERYTHING = Number.MAX_SAFE_INTEGER;

/** One page of a branch, newest first; null when the owner has no such thread or the thread no such message. */
export async function listMessages(
  session: Session,
  input: { owner: Owner; ref: ThreadRef; branch: MessageId | 'head'; beforeSeq: number | null; limit: number },
): Promise<readonly Message[] | null> {
  const thread = await findThreadRow(session, input.owner, input.ref);
  if (thread === undefined) return null;
  const from = input.branch === 'head' ? thread.head_id : input.branch;
  if (from === null) return [];
  if (input.branch !== 'head' && !(await isInThread(session, thread.key, from))) return null;
  const { beforeSeq, limit } = input;
  const steps = beforeSeq === null ? 2 * limit : EVERYTHING;
  return (await branch.all(session, { from, steps, before: beforeSeq ?? EVERYTHING, limit })).map(toMessage);
}

/** A question with its stored ancestors, oldest first, behind the turns its thread carries over from an earlier one. */
export async function contextOf(
  session: Session,
  input: { threadKey: ThreadKey; messageId: MessageId; limit: number },
): Promise<readonly Message[]> {
  const { threadKey, messageId, limit } = input;
  const thread = await contextStart.first(session, { thread: threadKey });
  if (thread === undefined || !(await isInThread(session, threadKey, messageId))) return [];
  const own = await newest(session, messageId, limit);
  const reachedRoot = own[0]?.parentId === null;
  if (!reachedRoot || thread.carried_head === null) return own;
  return [...(await newest(session, thread.carried_head, 2 * thread.carried_turns)), ...own];
}

async function newest(session: Session, from: string, limit: number): Promise<readonly Message[]> {
  const rows = await branch.all(session, { from, steps: 2 * limit, before: EVERYTHING, limit });
  return rows.map(toMessage).reverse();
}
