import type { Compilable, Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../schema.ts';
import type { Dialect } from '../session.ts';

/** A text that fits a page lies in its row as it is: PostgreSQL would compress each beyond 2 KB, which costs more than all else about it. */
export function plainTexts(db: Kysely<Database>, dialect: Dialect): readonly Compilable[] {
  if (dialect === 'sqlite') return [];
  return ['messages', 'run_logs', 'run_log_live', 'search_entries'].map((table) => ({
    compile: () => sql`alter table ${sql.ref(table)} set (toast_tuple_target = 8160)`.compile(db),
  }));
}
