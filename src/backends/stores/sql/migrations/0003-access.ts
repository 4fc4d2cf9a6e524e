import type { ColumnDefinitionBuilder, Compilable, Kysely, RawBuilder } from 'kysely';
import { sql } from 'kysely';
import { DEFAULT_APPLICATION } from '../../../../core/ids.ts';
import type { Database } from '../schema.ts';
import type { Dialect } from '../session.ts';
import { forms, notNull, primary, unique } from './forms.ts';

/** API keys, what applications are called and allowed, and what counts their unfinished runs. */
export function access(db: Kysely<Database>, dialect: Dialect): readonly Compilable[] {
  return [...applicationColumns(db, dialect), ...keyTable(db, dialect), ...runColumn(db, dialect), ...rateTable(db, dialect)];
}

type Column = readonly [name: string, type: RawBuilder<unknown>, build?: (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder];

function applicationColumns(db: Kysely<Database>, dialect: Dialect): readonly Compilable[] {
  const { text, integer, strict } = forms(dialect);
  const columns: readonly Column[] = [
    ['name', text, (column) => column.notNull().defaultTo('')],
    ['tier', text],
    ['jwks_url', text],
    ['sealed_secrets', text, (column) => column.notNull().defaultTo('[]')],
    ['issuer', text],
    ['audience', text],
    ['created_at', integer, (column) => column.notNull().defaultTo(0)],
    ['place', integer, (column) => column.notNull().defaultTo(1)],
  ];
  // SQLite adds one column at a time.
  return [
    ...columns.map(([name, type, build]) => db.schema.alterTable('applications').addColumn(name, type, build)),
    db.updateTable('applications').set((eb) => ({
      name: eb.ref('id'),
      created_at: sql<number>`coalesce((select min(threads.created_at) from threads join users on users.id = threads.user_id
        where users.application_id = applications.id), ${nowIn(dialect)})`,
    })),
    db.updateTable('applications').set({ place: 0 }).where('id', '=', DEFAULT_APPLICATION),
    strict(db.schema.createTable('access_version').addColumn('value', integer, notNull)),
    db.insertInto('access_version').values({ value: 1 }),
  ];
}

/** A migration knows no clock but the database's. */
function nowIn(dialect: Dialect): RawBuilder<number> {
  switch (dialect) {
    case 'sqlite':
      return sql<number>`cast(unixepoch('subsec') * 1000 as integer)`;
    case 'postgres':
      return sql<number>`cast(extract(epoch from now()) * 1000 as bigint)`;
  }
}

function keyTable(db: Kysely<Database>, dialect: Dialect): readonly Compilable[] {
  const { text, integer, strict } = forms(dialect);
  return [
    strict(
      db.schema
        .createTable('api_keys')
        .addColumn('id', text, primary)
        .addColumn('application_id', text, notNull)
        .addColumn('digest', text, notNull)
        .addColumn('name', text, notNull)
        .addColumn('hint', text, notNull)
        .addColumn('scopes', text, notNull)
        .addColumn('dialects', text)
        .addColumn('user_id', text)
        .addColumn('tier', text)
        .addColumn('created_at', integer, notNull)
        .addColumn('expires_at', integer)
        .addColumn('last_used_at', integer)
        .addColumn('revoked_at', integer)
        .addColumn('place', integer, notNull),
    ),
    unique(db, 'api_keys', ['digest']),
    db.schema.createIndex('api_keys_by_application').on('api_keys').columns(['application_id', 'created_at']),
  ];
}

/** Runs that ended before this migration count for nobody, so a large table is not rewritten for them. */
function runColumn(db: Kysely<Database>, dialect: Dialect): readonly Compilable[] {
  const { text } = forms(dialect);
  return [
    db.schema.alterTable('runs').addColumn('counted_for', text),
    db
      .updateTable('runs')
      .set({ counted_for: sql<string>`(select users.application_id from users where users.id = runs.user_id)` })
      .where('ended_at', 'is', null),
    db.schema.createIndex('runs_unfinished_by_application').on('runs').column('counted_for').where(sql.ref('ended_at'), 'is', null),
  ];
}

/** Windows of rates that servers share; the columns, in this order, are those that rate-limiter-flexible writes. */
function rateTable(db: Kysely<Database>, dialect: Dialect): readonly Compilable[] {
  if (dialect === 'sqlite') return [];
  const { text, integer } = forms(dialect);
  return [
    db.schema
      .createTable('rate_limits')
      .addColumn('key', text, primary)
      .addColumn('points', sql`integer`, (column) => column.notNull().defaultTo(0))
      .addColumn('expire', integer)
      .modifyFront(sql`unlogged`),
  ];
}
