import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { queryDatabase } from '../support/test-database.ts';

/** Where a server keeps what it stores: the address of its PostgreSQL database, else its directory. */
export interface StoragePlace {
  readonly dataDir: string;
  readonly databaseUrl?: string;
}

/** Every row of every table as text, so that nothing can come, go or change unseen. */
export type StoredRows = ReadonlyMap<string, readonly string[]>;

/** Tables that remember servers, not what they store. */
const IGNORED_TABLES = ['processes'];
/** What the embedded store works out of other rows, when it has time. */
const DERIVED_TABLES = ['search_queue', 'search_entries', 'search_index'];
/** A key that is shown is used, whatever it is answered; a message's tokens are counted when somebody asks for them. */
const IGNORED_COLUMNS = ['last_used_at', 'tokens'];

/** Reads what is stored; an embedded database only while its server is stopped. */
export async function readRows({ dataDir, databaseUrl }: StoragePlace): Promise<StoredRows> {
  return databaseUrl === undefined ? embeddedRows(dataDir) : postgresRows(databaseUrl);
}

function embeddedRows(dataDir: string): StoredRows {
  const database = new DatabaseSync(join(dataDir, 'polylogue.db'), { readOnly: true });
  const query = (statement: string) => database.prepare(statement).all();
  try {
    return new Map(
      // Also not what a search index keeps in tables of its own: SQLite calls them shadows.
      query("select name from pragma_table_list where schema = 'main' and type in ('table', 'virtual') order by name")
        .map(({ name }) => String(name))
        .filter((name) => !name.startsWith('sqlite_') && !IGNORED_TABLES.includes(name) && !DERIVED_TABLES.includes(name))
        .map((name) => [
          name,
          query(`select * from "${name}"`)
            .map((row) => JSON.stringify(row, (column, value) => (IGNORED_COLUMNS.includes(column) ? undefined : value)))
            .sort(),
        ]),
    );
  } finally {
    database.close();
  }
}

async function postgresRows(databaseUrl: string): Promise<StoredRows> {
  const tables = await queryDatabase(databaseUrl, "select tablename as name from pg_tables where schemaname = 'polylogue' order by 1");
  const rows = new Map<string, readonly string[]>();
  for (const name of tables.map((table) => String(table.name))) {
    if (IGNORED_TABLES.includes(name)) continue;
    const found = await queryDatabase(
      databaseUrl,
      `select (to_jsonb(t) - '{${IGNORED_COLUMNS.join()}}'::text[])::text as row from polylogue."${name}" t order by 1`,
    );
    rows.set(
      name,
      found.map(({ row }) => String(row)),
    );
  }
  return rows;
}

/** Rows of `before` that are not in `after` any more, as they were. */
export function rowsGone(before: StoredRows, after: StoredRows): readonly string[] {
  return [...before].flatMap(([table, rows]) => {
    const left = new Set(after.get(table));
    return rows.filter((row) => !left.has(row)).map((row) => `${table}: ${row.slice(0, 300)}`);
  });
}
