import { type Compilable, type Kysely, sql } from 'kysely';
import type { Database } from '../schema.ts';
import type { Dialect } from '../session.ts';

/** Which servers share the store just now; an embedded store has only one. */
export function processes(db: Kysely<Database>, dialect: Dialect): readonly Compilable[] {
  if (dialect === 'sqlite') return [];
  return [
    db.schema
      .createTable('processes')
      .addColumn('id', 'uuid', (column) => column.notNull().primaryKey())
      .addColumn('seen_at', 'timestamptz', (column) => column.notNull())
      .modifyFront(sql`unlogged`),
  ];
}
