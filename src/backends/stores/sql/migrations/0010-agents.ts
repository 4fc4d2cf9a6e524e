import type { Compilable, Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../schema.ts';
import type { Dialect } from '../session.ts';
import { forms, notNull, primary } from './forms.ts';

/** Agents with their versions and the tools they trust, and what runs keep while they wait for people or may have to go on elsewhere. */
export function agents(db: Kysely<Database>, dialect: Dialect): readonly Compilable[] {
  return [...agentTables(db, dialect), ...waitTables(db, dialect)];
}

function agentTables(db: Kysely<Database>, dialect: Dialect): readonly Compilable[] {
  const { text, integer, strict } = forms(dialect);
  return [
    strict(
      db.schema
        .createTable('agents')
        .addColumn('id', text, primary)
        .addColumn('application_id', text, notNull)
        .addColumn('name', text, notNull)
        .addColumn('version', integer, notNull)
        .addColumn('deleted', integer, notNull),
    ),
    db.schema
      .createIndex('agents_by_name')
      .unique()
      .on('agents')
      .columns(['application_id', 'name'])
      .where(sql.ref('deleted'), '=', sql.lit(0)),
    db.schema.createIndex('agents_deleted').on('agents').column('id').where(sql.ref('deleted'), '=', sql.lit(1)),
    strict(
      db.schema
        .createTable('agent_versions')
        .addColumn('agent_id', text, notNull)
        .addColumn('version', integer, notNull)
        .addColumn('created_at', integer, notNull)
        .addColumn('name', text, notNull)
        .addColumn('definition', text, notNull)
        .addPrimaryKeyConstraint('agent_versions_pk', ['agent_id', 'version']),
    ),
    strict(
      db.schema
        .createTable('tool_pins')
        .addColumn('agent_id', text, notNull)
        .addColumn('tool', text, notNull)
        .addColumn('digest', text, notNull)
        .addColumn('pinned_at', integer, notNull)
        .addColumn('definition', text, notNull)
        .addPrimaryKeyConstraint('tool_pins_pk', ['agent_id', 'tool']),
    ),
  ];
}

function waitTables(db: Kysely<Database>, dialect: Dialect): readonly Compilable[] {
  const { text, integer, strict, bytes } = forms(dialect);
  return [
    strict(
      db.schema
        .createTable('approvals')
        .addColumn('run_id', text, notNull)
        .addColumn('call_id', text, notNull)
        .addColumn('expires_at', integer, notNull)
        .addColumn('decision', text)
        .addPrimaryKeyConstraint('approvals_pk', ['run_id', 'call_id']),
    ),
    db.schema.createIndex('approvals_undecided').on('approvals').column('expires_at').where(sql.ref('decision'), 'is', null),
    strict(
      db.schema
        .createTable('checkpoints')
        .addColumn('run_id', text, notNull)
        .addColumn('name', text, notNull)
        .addColumn('data', bytes, notNull)
        .addPrimaryKeyConstraint('checkpoints_pk', ['run_id', 'name']),
    ),
  ];
}
