import { createHash } from 'node:crypto';
import { DEFAULT_APPLICATION } from '../../../core/ids.ts';
import type { Connection } from './connection.ts';
import { codeOf } from './failures.ts';
import type { StoreLog } from './store-log.ts';

/** Begins the comment on every view of ours; what follows tells which form it has. */
const MARK = 'Made by Polylogue from its own tables in the schema polylogue';

const NAME_TAKEN = 'the name is taken, and what has it is left as it is';
const NO_RIGHT = 'this user may not create anything in the schema public, or there is none';
/** By SQLSTATE: no right, no schema, a type of that name, a table that somebody has made meanwhile. */
const REASONS: Readonly<Record<string, string>> = { '42501': NO_RIGHT, '3F000': NO_RIGHT, '42710': NAME_TAKEN, '42P07': NAME_TAKEN };
/** Why a view of ours keeps its old form: no right, something that was made from it. */
const KEPT: Readonly<Record<string, string>> = {
  '42501': 'it belongs to another user',
  '2BP01': 'something else was made from it; drop that, or the view, and start again',
};

/**
 * What names a thread in both views. The same public id may stand for threads of several users: the oldest of these threads keeps it there,
 * and every other has a UUID of its own, so that no query for one conversation finds two.
 */
const CONVERSATION_ID = `(case when exists (
      select from polylogue.threads as older join polylogue.users as other on other.id = older.user_id
      where older.id = threads.id and older.deleted_at is null and other.application_id = '${DEFAULT_APPLICATION}'
      and (older.created_at, older.key) < (threads.created_at, threads.key))
    then encode(substr(sha256(convert_to(threads.key, 'UTF8')), 1, 16), 'hex') else threads.id end)::uuid`;

/** A protocol without applications has only the default one's threads. */
const SHOWN = `polylogue.threads join polylogue.users on users.id = threads.user_id and users.application_id = '${DEFAULT_APPLICATION}'`;

/** How the user-chat protocol's own tables look, so that queries written for them go on working. */
const VIEWS: Readonly<Record<string, string>> = {
  conversations: `select ${CONVERSATION_ID} as id,
    users.external_id::varchar(255) as user_id,
    threads.title::varchar(255) as title,
    (case threads.archived when 1 then 'archived' else 'active' end)::varchar(50) as status,
    to_timestamp(threads.created_at / 1000.0) as created_at,
    to_timestamp(threads.updated_at / 1000.0) as updated_at
    from ${SHOWN}
    where threads.deleted_at is null`,
  messages: `select messages.id::uuid as id,
    ${CONVERSATION_ID} as conversation_id,
    messages.role::varchar(20) as role,
    coalesce(part.content, '') as content,
    (case when part.texts > 0 then 'text' when part.calls > 0 then 'tool_call' when part.results > 0 then 'tool_response'
      else 'text' end)::varchar(50) as message_type,
    to_timestamp(messages.created_at / 1000.0) as timestamp,
    jsonb_build_object('seq', messages.seq, 'status', messages.status, 'parent_id', messages.parent_id, 'run_id', messages.run_id,
      'model', messages.model, 'usage', messages.usage::jsonb, 'parts', messages.parts::jsonb) as metadata
    from ${SHOWN}
    join polylogue.messages on messages.thread_key = threads.key
    cross join lateral (select
      string_agg(item ->> 'text', '' order by place) filter (where item ->> 'type' = 'text') as content,
      count(*) filter (where item ->> 'type' = 'text') as texts,
      count(*) filter (where item ->> 'type' = 'tool_call') as calls,
      count(*) filter (where item ->> 'type' = 'tool_result') as results
      from jsonb_array_elements(messages.parts::jsonb) with ordinality as list (item, place)) as part
    where threads.deleted_at is null`,
};

/**
 * Makes the views in `public`, each unless its name is taken there, and gives those of an earlier program their new form; the log says what is
 * left out and why. Call inside a transaction.
 */
export async function shareViews(connection: Connection, log: StoreLog): Promise<void> {
  for (const [name, query] of Object.entries(VIEWS)) {
    const problem = await shareView(connection, name, query);
    if (problem !== null) log.info({ view: `public.${name}` }, `the view public.${name} is not ${problem}`);
  }
}

/** What has the name, were it a table, view or type; by the catalogue, for which no right on the schema is needed. */
const TAKEN = `select relkind::text as kind, obj_description(pg_class.oid, 'pg_class') as comment from pg_class
  join pg_namespace on pg_namespace.oid = pg_class.relnamespace where nspname = 'public' and relname = $1`;

interface Taken {
  readonly kind: string;
  readonly comment: string | null;
}

async function shareView(connection: Connection, name: string, query: string): Promise<string | null> {
  const [taken] = (await connection.session.all(TAKEN, [name])) as readonly Taken[];
  const comment = `${MARK} (form ${createHash('sha256').update(query).digest('hex').slice(0, 12)}).`;
  if (taken?.comment === comment) return null;
  const ours = taken?.kind === 'v' && taken.comment?.startsWith(MARK) === true;
  if (taken !== undefined && !ours) return `made: ${NAME_TAKEN}`;
  const made = `view public.${name} as ${query}; comment on view public.${name} is '${comment}'`;
  if (!ours) {
    const code = await attempt(connection, `create ${made}`, REASONS);
    return code === null ? null : `made: ${REASONS[code]}`;
  }
  // Replacing keeps the rights that were granted on the view, but only takes columns at its end.
  if ((await attempt(connection, `create or replace ${made}`, { ...KEPT, '42P16': '' })) === null) return null;
  const code = await attempt(connection, `drop view public.${name}; create ${made}`, KEPT);
  return code === null ? null : `renewed: ${KEPT[code]}`;
}

/** Gives the SQLSTATE when the statements failed in one of the ways that are foreseen; the transaction goes on then. */
async function attempt(connection: Connection, statements: string, foreseen: Readonly<Record<string, string>>): Promise<string | null> {
  await connection.execute('savepoint view');
  try {
    await connection.execute(statements);
    return null;
  } catch (error) {
    const code = codeOf(error);
    if (code === null || foreseen[code] === undefined) throw error;
    await connection.execute('rollback to view');
    return code;
  }
}
