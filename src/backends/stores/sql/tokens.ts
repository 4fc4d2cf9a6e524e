import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { MessageId } from '../../../core/ids.ts';
import type { Part } from '../../../core/message.ts';
import { textOf } from '../../../core/message.ts';
import type { TokenStore } from '../../../core/ports/token-store.ts';
import type { Owner } from '../../../core/principal.ts';
import type { ThreadRef } from '../../../core/thread.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import type { Database } from './schema.ts';
import type { Session } from './session.ts';
import { findThreadRow } from './threads.ts';

/** Messages of a thread that are in nobody's usage: no answer that tells its own, no question of one, none that is being answered. */
function untold(db: Kysely<Database>, thread: string) {
  return db
    .selectFrom('messages')
    .where('messages.thread_key', '=', thread)
    .where('messages.usage', 'is', null)
    .where('messages.id', 'not in', (eb) =>
      eb
        .selectFrom('messages as answers')
        .where('answers.thread_key', '=', thread)
        .where('answers.usage', 'is not', null)
        .where('answers.parent_id', 'is not', null)
        .select(sql<string>`answers.parent_id`.as('question')),
    )
    .where('messages.id', 'not in', (eb) =>
      eb.selectFrom('runs').where('runs.thread_key', '=', thread).where('runs.ended_at', 'is', null).select('runs.message_id'),
    );
}

const sum = prepared((db, param: Param<{ thread: string }>) =>
  untold(db, param('thread')).select((eb) => [
    sql<number | null>`cast(sum(messages.tokens) as bigint)`.as('tokens'),
    eb.fn.countAll<number>().filterWhere('messages.tokens', 'is', null).as('uncounted'),
  ]),
);

const uncounted = prepared((db, param: Param<{ thread: string; limit: number }>) =>
  untold(db, param('thread'))
    .where('messages.tokens', 'is', null)
    .select(['messages.id', 'messages.parts'])
    .orderBy('messages.seq')
    .limit(param('limit')),
);

const note = prepared((db, param: Param<{ id: string; tokens: number }>) =>
  db
    .updateTable('messages')
    .set({ tokens: param('tokens') })
    .where('id', '=', param('id')),
);

/** Tokens of a thread's messages that are in no usage, and how many of these nobody has counted yet. */
export async function untoldTokens(session: Session, threadKey: string): Promise<{ tokens: number; uncounted: number }> {
  const found = await sum.first(session, { thread: threadKey });
  return { tokens: found?.tokens ?? 0, uncounted: found?.uncounted ?? 0 };
}

/** The oldest messages of a thread that somebody still has to count. */
export async function uncountedMessages(
  session: Session,
  { owner, ref, limit }: { owner: Owner; ref: ThreadRef; limit: number },
): ReturnType<TokenStore['uncountedMessages']> {
  const thread = await findThreadRow(session, owner, ref);
  if (thread === undefined) return [];
  const rows = await uncounted.all(session, { thread: thread.key, limit });
  return rows.map(({ id, parts }) => ({ id: id as MessageId, text: textOf(JSON.parse(parts) as readonly Part[]) }));
}

/** Keeps what somebody has counted. */
export async function noteTokens(session: Session, counts: Parameters<TokenStore['noteTokens']>[0]): Promise<void> {
  for (const { id, tokens } of counts) await note.run(session, { id, tokens });
}
