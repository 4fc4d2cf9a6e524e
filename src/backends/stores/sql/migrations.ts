import type { Compilable, Kysely } from 'kysely';
import { sql } from 'kysely';
import { conversations } from './migrations/0001-conversations.ts';
import { processes } from './migrations/0002-processes.ts';
import { access } from './migrations/0003-access.ts';
import { serverSecret } from './migrations/0004-server-secret.ts';
import { prompts } from './migrations/0005-prompts.ts';
import { attachments } from './migrations/0006-attachments.ts';
import { search } from './migrations/0007-search.ts';
import { searchQueue } from './migrations/0008-search-queue.ts';
import { contentsByType } from './migrations/0009-contents-by-type.ts';
import { agents } from './migrations/0010-agents.ts';
import { fewerIndexes } from './migrations/0011-fewer-indexes.ts';
import { plainTexts } from './migrations/0012-plain-texts.ts';
import type { Database } from './schema.ts';
import type { Dialect, Session } from './session.ts';
import { allOf, builders, runOf } from './session.ts';

interface Migration {
  readonly name: string;
  readonly statements: (db: Kysely<Database>, dialect: Dialect) => readonly Compilable[];
}

/** The n-th entry brings a store to version n; entries are only ever added. */
const migrations: readonly Migration[] = [
  { name: 'conversations', statements: conversations },
  { name: 'processes', statements: processes },
  { name: 'access', statements: access },
  { name: 'server secret', statements: serverSecret },
  { name: 'prompts', statements: prompts },
  { name: 'attachments', statements: attachments },
  { name: 'search', statements: search },
  { name: 'search queue', statements: searchQueue },
  { name: 'contents by type', statements: contentsByType },
  { name: 'agents', statements: agents },
  { name: 'fewer indexes', statements: fewerIndexes },
  { name: 'plain texts', statements: plainTexts },
];

/** The version to which this program brings a store. */
export const STORE_VERSION = migrations.length;

/** Brings the tables to this program's version, or to `upTo`. Call inside a transaction; rejects when a newer program has been here. */
export async function migrate(session: Session, upTo = migrations.length): Promise<void> {
  const db = builders[session.dialect];
  const integer = session.dialect === 'sqlite' ? sql`integer` : sql`bigint`;
  const versions = db.schema
    .createTable('schema_versions')
    .ifNotExists()
    .addColumn('version', integer, (column) => column.notNull().primaryKey())
    .addColumn('name', 'text', (column) => column.notNull());
  await runOf(session, versions);
  const [found] = await allOf(
    session,
    db.selectFrom('schema_versions').select((eb) => eb.fn.max('version').as('version')),
  );
  const current = found?.version ?? 0;
  if (current > migrations.length) {
    throw new Error(`The data has version ${current}, this program knows versions up to ${migrations.length}: start a newer program.`);
  }
  for (const [index, migration] of migrations.entries()) {
    const version = index + 1;
    if (version <= current || version > upTo) continue;
    for (const statement of migration.statements(db, session.dialect)) await runOf(session, statement);
    await runOf(session, db.insertInto('schema_versions').values({ version, name: migration.name }));
  }
}
