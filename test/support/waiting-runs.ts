import { openSqliteStore } from '../../src/backends/stores/sqlite/index.ts';
import { deciding, waitFor } from '../contracts/store-waits-fixtures.ts';

// A program: lets one run after another wait for two calls, the first of which it approves, in the data directory that it is given. Writes the
// id of each to standard output, and stops when it is killed.
const store = await openSqliteStore({ dataDir: process.argv[2] ?? '' });
for (;;) {
  const { run } = await waitFor(store, ['c1', 'c2']);
  await store.decideApproval(deciding(run, 'c1'));
  process.stdout.write(`${run.id}\n`);
}
