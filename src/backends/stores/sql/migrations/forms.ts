import type { ColumnDefinitionBuilder, Compilable, CreateTableBuilder, Kysely, RawBuilder } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../schema.ts';
import type { Dialect } from '../session.ts';

type Table = CreateTableBuilder<string, string>;

export const notNull = (column: ColumnDefinitionBuilder) => column.notNull();
export const primary = (column: ColumnDefinitionBuilder) => column.notNull().primaryKey();

/** An index over columns whose values together occur once. */
export function unique(db: Kysely<Database>, table: string, columns: readonly string[]): Compilable {
  return db.schema
    .createIndex(`${table}_by_${columns.join('_')}`)
    .unique()
    .on(table)
    .columns([...columns]);
}

interface Forms {
  readonly text: RawBuilder<unknown>;
  readonly integer: RawBuilder<unknown>;
  readonly bytes: RawBuilder<unknown>;
  readonly strict: (table: Table) => Compilable;
  /** Rows lie in the order of the primary key. */
  readonly clustered: (table: Table) => Compilable;
}

/** What columns and tables are called in each dialect. */
export function forms(dialect: Dialect): Forms {
  switch (dialect) {
    case 'sqlite':
      return {
        text: sql`text`,
        integer: sql`integer`,
        bytes: sql`blob`,
        strict: (table) => table.modifyEnd(sql`strict`),
        clustered: (table) => table.modifyEnd(sql`strict, without rowid`),
      };
    case 'postgres':
      return {
        text: sql`text collate "C"`,
        integer: sql`bigint`,
        bytes: sql`bytea`,
        strict: (table) => table,
        clustered: (table) => table,
      };
  }
}
