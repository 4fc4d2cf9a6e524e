import type { Compilable, CompiledQuery } from 'kysely';
import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import type { Database } from './schema.ts';

/** Where SQL texts differ, they stand side by side under these names. */
export type Dialect = 'sqlite' | 'postgres';

/** One connection, possibly inside a transaction, that runs SQL texts. */
export interface Session {
  readonly dialect: Dialect;
  /** Several operations share the transaction, which has their locks already but for those of limits. */
  readonly shared?: true;
  all(sql: string, parameters: readonly unknown[]): Promise<readonly unknown[]>;
  /** Gives the number of rows that were written. */
  run(sql: string, parameters: readonly unknown[]): Promise<number>;
  /** Writes without waiting: if that fails, the transaction ends as failed. */
  post(sql: string, parameters: readonly unknown[]): void;
}

/** Builders that only compile: sessions do the running. */
export const builders: Readonly<Record<Dialect, Kysely<Database>>> = {
  sqlite: new Kysely<Database>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  }),
  postgres: new Kysely<Database>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  }),
};

/** Runs a query that was built for this call only; for lists with optional filters. */
export async function allOf<Row>(session: Session, query: Compilable<Row>): Promise<readonly Row[]> {
  const compiled: CompiledQuery<Row> = query.compile();
  return (await session.all(compiled.sql, compiled.parameters)) as readonly Row[];
}

/** Writes with a query that was built for this call only. */
export function runOf(session: Session, query: Compilable): Promise<number> {
  const compiled = query.compile();
  return session.run(compiled.sql, compiled.parameters);
}
