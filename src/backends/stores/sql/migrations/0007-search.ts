import type { Compilable, Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../schema.ts';
import type { Dialect } from '../session.ts';
import { forms, notNull, primary, unique } from './forms.ts';

/** What searches find threads by, the threads from before that are still to be indexed, and tokens of messages that no provider counted. */
export function search(db: Kysely<Database>, dialect: Dialect): readonly Compilable[] {
  const { text, integer, strict } = forms(dialect);
  return [
    ...indexTables(db, dialect),
    unique(db, 'search_entries', ['thread_key', 'seq']),
    strict(
      db.schema
        .createTable('search_backlog')
        .addColumn('thread_key', text, primary)
        .addColumn('after_seq', integer, (column) => column.notNull().defaultTo(0)),
    ),
    {
      compile: () => sql`insert into search_backlog (thread_key) select key from threads where deleted_at is null`.compile(db),
    },
    db.schema.alterTable('messages').addColumn('tokens', integer),
  ];
}

function indexTables(db: Kysely<Database>, dialect: Dialect): readonly Compilable[] {
  const { text, integer, strict } = forms(dialect);
  const entries = db.schema.createTable('search_entries').addColumn('thread_key', text, notNull).addColumn('seq', integer, notNull);
  switch (dialect) {
    case 'sqlite':
      return [
        strict(entries.addColumn('id', sql`integer`, primary)),
        ...[
          // Only words come here, with spaces between them: this tokenizer leaves everything beyond ASCII as it is.
          sql`create virtual table search_index using fts5(words, tokenize = 'ascii', detail = none, content = '', contentless_delete = 1)`,
          // Merging later and more at a time costs half of what it does otherwise; a whole level at once would stop everybody.
          sql`insert into search_index (search_index, rank) values ('automerge', 12)`,
          sql`insert into search_index (search_index, rank) values ('crisismerge', 64)`,
        ].map((statement) => ({ compile: () => statement.compile(db) })),
        strict(db.schema.createTable('search_state').addColumn('removals', integer, notNull)),
        db.insertInto('search_state').values({ removals: 0 }),
      ];
    case 'postgres':
      return [
        entries.addColumn('words', sql`tsvector`, notNull),
        // What waits is merged into the index by whoever writes next: little at a time keeps that short.
        {
          compile: () =>
            sql`create index search_entries_by_words on search_entries using gin (words) with (gin_pending_list_limit = 512)`.compile(db),
        },
      ];
  }
}
