import { expect, test } from 'vitest';
import { findTestServer } from '../../../../test/support/test-database.ts';
import { openConnection } from './connection.ts';

const server = await findTestServer();

test.skipIf(server === null).for([
  [true, 'on'],
  [false, 'off'],
] as const)('with patience %s, whole tables are read as they lie: %s', async ([patient, reads]) => {
  const { session, close } = await openConnection(server ?? '', { patient });
  try {
    expect(await session.all('show enable_seqscan', [])).toEqual([{ enable_seqscan: reads }]);
  } finally {
    await close();
  }
});
