import { expect, test, vi } from 'vitest';
import { begin } from '../../../../test/contracts/store-fixtures.ts';
import { createTestDatabase, findTestServer, queryDatabase } from '../../../../test/support/test-database.ts';
import { openPostgresStore } from './index.ts';

const server = await findTestServer();
const log = { info: () => undefined, warn: () => undefined };

test.skipIf(server === null)('a new database has statistics of its tables once some runs have begun', async () => {
  const database = await createTestDatabase(server ?? '');
  const store = await openPostgresStore({ url: database.url, log });
  try {
    for (let runs = 0; runs < 32; runs += 1) await begin(store);
    const known = `select relname from pg_class where relnamespace = 'polylogue'::regnamespace and relname in ('threads', 'messages', 'runs')
      and reltuples >= 32 order by relname`;
    await vi.waitFor(async () => {
      expect((await queryDatabase(database.url, known)).map(({ relname }) => relname)).toEqual(['messages', 'runs', 'threads']);
    });
  } finally {
    await store.close();
    await database.drop();
  }
});
