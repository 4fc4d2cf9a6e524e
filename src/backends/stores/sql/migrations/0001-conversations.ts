import type { Compilable, Kysely } from 'kysely';
import { sql } from 'kysely';
import { DEFAULT_APPLICATION } from '../../../../core/ids.ts';
import { randomNumber } from '../random-number.ts';
import type { Database } from '../schema.ts';
import type { Dialect } from '../session.ts';
import { forms, notNull, primary, unique } from './forms.ts';

/** Users, threads, messages, runs and their logs. */
export function conversations(db: Kysely<Database>, dialect: Dialect): readonly Compilable[] {
  const { text, integer, strict, clustered } = forms(dialect);
  return [
    strict(db.schema.createTable('applications').addColumn('id', text, primary).addColumn('number', integer, notNull)),
    unique(db, 'applications', ['number']),
    // As text: the table has other columns by now, which this statement must not know.
    { compile: () => sql`insert into applications (id, number) values (${DEFAULT_APPLICATION}, ${randomNumber()})`.compile(db) },
    strict(
      db.schema
        .createTable('users')
        .addColumn('id', text, primary)
        .addColumn('application_id', text, notNull)
        .addColumn('external_id', text, notNull)
        .addColumn('number', integer, notNull),
    ),
    unique(db, 'users', ['application_id', 'external_id']),
    unique(db, 'users', ['number']),
    ...threadTables(db, dialect),
    ...messageTable(db, dialect),
    ...runTables(db, dialect),
    clustered(
      db.schema
        .createTable('thread_events')
        .addColumn('thread_key', text, notNull)
        .addColumn('first_number', integer, notNull)
        .addColumn('last_number', integer, notNull)
        .addColumn('events', text, notNull)
        .addPrimaryKeyConstraint('thread_events_pk', ['thread_key', 'first_number']),
    ),
    strict(
      db.schema
        .createTable('idempotency_keys')
        .addColumn('user_id', text, notNull)
        .addColumn('key', text, notNull)
        .addColumn('fingerprint', text, notNull)
        .addColumn('thread_key', text, notNull)
        .addColumn('result', text, notNull)
        .addColumn('created_at', integer, notNull)
        .addPrimaryKeyConstraint('idempotency_keys_pk', ['user_id', 'key']),
    ),
    db.schema.createIndex('idempotency_keys_by_thread').on('idempotency_keys').column('thread_key'),
    db.schema.createIndex('idempotency_keys_by_age').on('idempotency_keys').column('created_at'),
  ];
}

function threadTables(db: Kysely<Database>, dialect: Dialect): readonly Compilable[] {
  const { text, integer, strict } = forms(dialect);
  return [
    strict(
      db.schema
        .createTable('threads')
        .addColumn('key', text, primary)
        .addColumn('id', text, notNull)
        .addColumn('number', integer, notNull)
        .addColumn('user_id', text, notNull)
        .addColumn('title', text)
        .addColumn('model', text)
        .addColumn('agent', text)
        .addColumn('tags', text, notNull)
        .addColumn('archived', integer, notNull)
        .addColumn('metadata', text, notNull)
        .addColumn('head_id', text)
        .addColumn('next_seq', integer, notNull)
        .addColumn('event_count', integer, notNull)
        .addColumn('carried_head', text)
        .addColumn('carried_turns', integer, notNull)
        .addColumn('created_at', integer, notNull)
        .addColumn('updated_at', integer, notNull)
        .addColumn('deleted_at', integer),
    ),
    unique(db, 'threads', ['number']),
    db.schema
      .createIndex('threads_by_user_and_id')
      .unique()
      .on('threads')
      .columns(['user_id', 'id'])
      .where(sql.ref('deleted_at'), 'is', null),
    db.schema
      .createIndex('threads_by_update')
      .on('threads')
      .columns(['user_id', 'updated_at', 'key'])
      .where(sql.ref('deleted_at'), 'is', null),
    db.schema.createIndex('threads_by_id').on('threads').column('id').where(sql.ref('deleted_at'), 'is', null),
    db.schema.createIndex('threads_deleted').on('threads').column('deleted_at').where('deleted_at', 'is not', null),
  ];
}

function messageTable(db: Kysely<Database>, dialect: Dialect): readonly Compilable[] {
  const { text, integer, strict } = forms(dialect);
  return [
    strict(
      db.schema
        .createTable('messages')
        .addColumn('id', text, primary)
        .addColumn('thread_key', text, notNull)
        .addColumn('seq', integer, notNull)
        .addColumn('parent_id', text)
        .addColumn('role', text, notNull)
        .addColumn('status', text, notNull)
        .addColumn('parts', text, notNull)
        .addColumn('run_id', text)
        .addColumn('model', text)
        .addColumn('usage', text)
        .addColumn('created_at', integer, notNull),
    ),
    unique(db, 'messages', ['thread_key', 'seq']),
  ];
}

function runTables(db: Kysely<Database>, dialect: Dialect): readonly Compilable[] {
  const { text, integer, strict } = forms(dialect);
  const live = db.schema
    .createTable('run_log_live')
    .addColumn('run_id', text, notNull)
    .addColumn('attempt', integer, notNull)
    .addColumn('first_offset', integer, notNull)
    .addColumn('last_offset', integer, notNull)
    .addColumn('events', text, notNull);
  return [
    strict(
      db.schema
        .createTable('runs')
        .addColumn('id', text, primary)
        .addColumn('thread_key', text, notNull)
        .addColumn('user_id', text, notNull)
        .addColumn('message_id', text, notNull)
        .addColumn('answer_id', text, notNull)
        .addColumn('answer_seq', integer, notNull)
        .addColumn('status', text, notNull)
        .addColumn('attempt', integer, notNull)
        .addColumn('snapshot', text, notNull)
        .addColumn('usage', text)
        .addColumn('finish_reason', text)
        .addColumn('failure', text)
        .addColumn('process_id', text)
        .addColumn('lease_until', integer)
        .addColumn('created_at', integer, notNull)
        .addColumn('ended_at', integer),
    ),
    unique(db, 'runs', ['answer_id']),
    db.schema.createIndex('runs_by_thread').on('runs').columns(['thread_key', 'status']),
    db.schema.createIndex('runs_unfinished').on('runs').columns(['user_id', 'created_at']).where(sql.ref('ended_at'), 'is', null),
    // SQLite keeps segments in the order they come: a key would spread each flush over as many pages as it has runs.
    dialect === 'sqlite' ? strict(live) : live.addPrimaryKeyConstraint('run_log_live_pk', ['run_id', 'first_offset']),
    strict(
      db.schema
        .createTable('run_logs')
        .addColumn('run_id', text, notNull)
        .addColumn('first_offset', integer, notNull)
        .addColumn('last_offset', integer, notNull)
        .addColumn('events', text, notNull)
        .addPrimaryKeyConstraint('run_logs_pk', ['run_id', 'first_offset']),
    ),
  ];
}
