import type { ThreadKey } from '../../../core/ids.ts';
import { purgeThread } from '../sql/delete-thread.ts';
import type { Connection } from './connection.ts';
import type { Lane } from './lane.ts';
import { liveLog } from './live-log.ts';
import { awaitAppends, inTransaction } from './transaction.ts';

/** What nobody is just ending: a deletion that another server has begun waits for the runs that this server executes. */
const CLOSED = `select key from threads where deleted_at is not null and (key = $1 or $1::text is null and not exists (
  select from runs where thread_key = threads.key and status = 'running' and lease_until > extract(epoch from now()) * 1000))
  order by key for update`;

const FENCE = `update runs set status = 'cancelled', ended_at = created_at
  where thread_key = $1 and ended_at is null`;

/** Removes the rows of closed threads, also those that another server's runs were about to write. */
export async function purgeClosed(lane: Lane, key: ThreadKey | null): Promise<void> {
  const closed = await inTransaction(lane, 'plain', (connection) => fence(connection, key));
  if (closed.length === 0) return;
  await awaitAppends(lane);
  for (const thread of closed) {
    await inTransaction(lane, 'plain', async ({ session }) => {
      await purgeThread({ session, log: liveLog(session) }, thread);
    });
  }
}

/** From now on nobody may write to the runs of these threads. */
async function fence({ session }: Connection, key: ThreadKey | null): Promise<readonly ThreadKey[]> {
  const rows = (await session.all(CLOSED, [key])) as readonly { key: ThreadKey }[];
  for (const row of rows) await session.run(FENCE, [row.key]);
  return rows.map((row) => row.key);
}
