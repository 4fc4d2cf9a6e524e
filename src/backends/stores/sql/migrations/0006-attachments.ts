import type { Compilable, Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../schema.ts';
import type { Dialect } from '../session.ts';
import { forms, notNull, primary, unique } from './forms.ts';

/** Files of threads, the text in them, and, where servers share the store, their bytes. */
export function attachments(db: Kysely<Database>, dialect: Dialect): readonly Compilable[] {
  const { text, integer, strict } = forms(dialect);
  return [
    strict(
      db.schema
        .createTable('contents')
        .addColumn('id', text, primary)
        .addColumn('user_id', text, notNull)
        .addColumn('digest', text, notNull)
        .addColumn('size', integer, notNull)
        .addColumn('type', text, notNull)
        .addColumn('page_count', integer, notNull)
        .addColumn('characters', integer, notNull)
        .addColumn('truncated', integer, notNull),
    ),
    unique(db, 'contents', ['user_id', 'digest']),
    strict(
      db.schema
        .createTable('passages')
        .addColumn('content_id', text, notNull)
        .addColumn('position', integer, notNull)
        .addColumn('page', integer, notNull)
        .addColumn('text', text, notNull)
        .addPrimaryKeyConstraint('passages_pk', ['content_id', 'position']),
    ),
    strict(
      db.schema
        .createTable('attachments')
        .addColumn('id', text, primary)
        .addColumn('number', integer, notNull)
        .addColumn('thread_key', text, notNull)
        .addColumn('content_id', text, notNull)
        .addColumn('name', text, notNull)
        .addColumn('created_at', integer, notNull),
    ),
    unique(db, 'attachments', ['number']),
    db.schema.createIndex('attachments_by_thread').on('attachments').columns(['thread_key', 'created_at', 'id']),
    db.schema.createIndex('attachments_by_content').on('attachments').column('content_id'),
    strict(db.schema.createTable('stray_contents').addColumn('id', text, primary).addColumn('announced_at', integer, notNull)),
    ...chunkTable(db, dialect),
  ];
}

/** An embedded store has the bytes in files beside it. */
function chunkTable(db: Kysely<Database>, dialect: Dialect): readonly Compilable[] {
  if (dialect === 'sqlite') return [];
  const { text, integer } = forms(dialect);
  return [
    db.schema
      .createTable('content_chunks')
      .addColumn('content_id', text, notNull)
      .addColumn('position', integer, notNull)
      .addColumn('bytes', 'bytea', notNull)
      .addPrimaryKeyConstraint('content_chunks_pk', ['content_id', 'position']),
    // What people upload is mostly packed already.
    { compile: () => sql`alter table content_chunks alter column bytes set storage external`.compile(db) },
  ];
}
