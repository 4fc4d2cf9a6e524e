import type { Compilable, Kysely } from 'kysely';
import type { Database } from '../schema.ts';
import type { Dialect } from '../session.ts';
import { forms, notNull, primary, unique } from './forms.ts';

/** Users' prompts with their versions, and how often users used templates. What is long stands last: lists do not read it. */
export function prompts(db: Kysely<Database>, dialect: Dialect): readonly Compilable[] {
  const { text, integer, strict, clustered } = forms(dialect);
  return [
    strict(
      db.schema
        .createTable('prompts')
        .addColumn('id', text, primary)
        .addColumn('number', integer, notNull)
        .addColumn('user_id', text, notNull)
        .addColumn('version', integer, notNull)
        .addColumn('usage_count', integer, notNull)
        .addColumn('size', integer, notNull)
        .addColumn('created_at', integer, notNull)
        .addColumn('updated_at', integer, notNull)
        .addColumn('search_text', text, notNull),
    ),
    unique(db, 'prompts', ['number']),
    db.schema.createIndex('prompts_by_user').on('prompts').columns(['user_id', 'created_at', 'id']),
    strict(
      db.schema
        .createTable('prompt_versions')
        .addColumn('prompt_id', text, notNull)
        .addColumn('version', integer, notNull)
        .addColumn('created_at', integer, notNull)
        .addColumn('title', text, notNull)
        .addColumn('scenario', text, notNull)
        .addColumn('description', text)
        .addColumn('metadata', text, notNull)
        .addColumn('content', text, notNull)
        .addPrimaryKeyConstraint('prompt_versions_pk', ['prompt_id', 'version']),
    ),
    clustered(
      db.schema
        .createTable('template_uses')
        .addColumn('user_id', text, notNull)
        .addColumn('number', integer, notNull)
        .addColumn('uses', integer, notNull)
        .addPrimaryKeyConstraint('template_uses_pk', ['user_id', 'number']),
    ),
  ];
}
