import { addressOf, openConnection } from './connection.ts';
import { openingFailure } from './failures.ts';

/** The version of the data in a database, which stays as it is; null when there is none yet. Rejects with a sentence for the operator. */
export async function readPostgresVersion(url: string): Promise<number | null> {
  try {
    const { session, close } = await openConnection(url);
    try {
      const [table] = await session.all("select 1 from pg_tables where schemaname = 'polylogue' and tablename = 'schema_versions'", []);
      if (table === undefined) return null;
      const [row] = (await session.all('select max(version) as version from polylogue.schema_versions', [])) as {
        version: number | null;
      }[];
      return row?.version ?? null;
    } finally {
      await close();
    }
  } catch (error) {
    throw openingFailure(error, addressOf(url));
  }
}
