import { describe } from 'vitest';
import { storeContract } from '../../../../test/contracts/store.ts';
import type { StorePlace } from '../../../../test/contracts/store-cases.ts';
import { createTestDatabase, findTestServer, queryDatabase } from '../../../../test/support/test-database.ts';
import { openPostgresStore } from './index.ts';

const server = await findTestServer();
const log = { info: () => undefined, warn: () => undefined };

async function makePlace(): Promise<StorePlace> {
  const { url, drop } = await createTestDatabase(server ?? '');
  return {
    address: url,
    async holding(text) {
      const found: string[] = [];
      for (const { name } of await queryDatabase(
        url,
        "select relname as name from pg_class where relnamespace = 'polylogue'::regnamespace and relkind = 'r'",
      )) {
        const [row] = await queryDatabase(url, `select 1 from polylogue.${name} as one where one::text like '%${text}%' limit 1`);
        if (row !== undefined) found.push(String(name));
      }
      return found;
    },
    remove: drop,
  };
}

describe.skipIf(server === null)('on a real server', () => {
  storeContract('postgres', (url) => openPostgresStore({ url, log }), makePlace);
});
