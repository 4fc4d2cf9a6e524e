import type { Compilable, Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../schema.ts';
import type { Dialect } from '../session.ts';
import { forms, notNull, primary } from './forms.ts';

/** What SQLite's search index does not have yet. PostgreSQL keeps words with the rows they are found by. */
export function searchQueue(db: Kysely<Database>, dialect: Dialect): readonly Compilable[] {
  const { text, integer, strict } = forms(dialect);
  switch (dialect) {
    case 'sqlite':
      return [
        strict(
          db.schema
            .createTable('search_queue')
            .addColumn('id', sql`integer`, primary)
            .addColumn('thread_key', text, notNull)
            .addColumn('seq', integer, notNull),
        ),
      ];
    case 'postgres':
      return [];
  }
}
