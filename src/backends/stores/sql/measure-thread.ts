import { type RawBuilder, sql } from 'kysely';
import type { StoredFigures } from '../../../core/ports/thread-query.ts';
import type { Owner } from '../../../core/principal.ts';
import type { ThreadRef } from '../../../core/thread.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import type { Dialect, Session } from './session.ts';
import { textParam } from './text-param.ts';
import { findThreadRow } from './threads.ts';
import { untoldTokens } from './tokens.ts';

/** Steps from the head to the root; an answer that is not stored yet leads on to its question and counts for nothing. */
const branch = prepared((db, param: Param<{ head: string }>, dialect) =>
  db
    .withRecursive('chain(id)', (cte) =>
      cte.selectNoFrom(textParam(param('head'), dialect).as('id')).unionAll(
        cte
          .selectFrom('chain')
          .where('chain.id', 'is not', null)
          .select((eb) =>
            eb.fn
              .coalesce(
                eb.selectFrom('messages').select('messages.parent_id').whereRef('messages.id', '=', 'chain.id'),
                eb.selectFrom('runs').select('runs.message_id').whereRef('runs.answer_id', '=', 'chain.id'),
              )
              .as('id'),
          ),
      ),
    )
    .selectFrom('chain')
    .innerJoin('messages', 'messages.id', 'chain.id')
    .select((eb) => [eb.fn.countAll<number>().as('messages'), eb.fn.max('messages.created_at').as('newest')]),
);

const spent = prepared((db, param: Param<{ thread: string }>, dialect) =>
  db.selectFrom('messages').where('thread_key', '=', param('thread')).where('usage', 'is not', null).select(tokens(dialect).as('tokens')),
);

function tokens(dialect: Dialect): RawBuilder<number | null> {
  switch (dialect) {
    case 'sqlite':
      return sql`sum(json_extract(usage, '$.input_tokens') + json_extract(usage, '$.output_tokens'))`;
    case 'postgres':
      return sql`cast(sum((usage::jsonb->>'input_tokens')::bigint + (usage::jsonb->>'output_tokens')::bigint) as bigint)`;
  }
}

/** Length and end of a thread's shown branch, and the tokens of all its branches; null when the owner has no such thread. */
export async function measureThread(session: Session, owner: Owner, ref: ThreadRef): Promise<StoredFigures | null> {
  const thread = await findThreadRow(session, owner, ref);
  if (thread === undefined) return null;
  const shown = thread.head_id === null ? undefined : await branch.first(session, { head: thread.head_id });
  const told = await spent.first(session, { thread: thread.key });
  const own = await untoldTokens(session, thread.key);
  return {
    messages: shown?.messages ?? 0,
    lastMessageAt: shown?.newest ?? null,
    totalTokens: (told?.tokens ?? 0) + own.tokens,
    uncounted: own.uncounted,
  };
}
