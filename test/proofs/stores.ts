import { findPostgres, startPostgresServer } from '../support/postgres-server.ts';
import { createTestDatabase } from '../support/test-database.ts';

export type StoreName = 'embedded' | 'postgres';

/** The store that a proof's servers keep their data in. */
export interface ProofStore {
  readonly name: StoreName;
  /** Null: in the data directory. */
  readonly databaseUrl: string | null;
  remove(): Promise<void>;
}

export const embeddedStore: ProofStore = { name: 'embedded', databaseUrl: null, remove: async () => undefined };

/** A new database on a PostgreSQL server. */
export async function postgresStore(server: string): Promise<ProofStore> {
  const { url, drop } = await createTestDatabase(server);
  return { name: 'postgres', databaseUrl: url, remove: drop };
}

/** The store that a command line names; a PostgreSQL server of its own unless TEST_DATABASE_URL names one. */
export async function openStore(name: string, server = process.env.TEST_DATABASE_URL ?? ''): Promise<ProofStore> {
  if (name === 'embedded') return embeddedStore;
  if (name !== 'postgres') throw new Error(`A store is embedded or postgres, not ${name}`);
  if (server !== '') return postgresStore(server);
  const programs = findPostgres();
  if (programs === null) throw new Error('There is no PostgreSQL for this platform: set TEST_DATABASE_URL');
  const own = await startPostgresServer(programs);
  const store = await postgresStore(own.url);
  const remove = () => store.remove().finally(() => own.stop());
  return { ...store, remove };
}
