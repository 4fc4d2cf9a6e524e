import type { RunId } from '../../../core/ids.ts';
import type { Checkpoint, CheckpointStore } from '../../../core/ports/checkpoint-store.ts';
import type { Param } from './prepared.ts';
import { prepared } from './prepared.ts';
import type { Session } from './session.ts';

/** Behind every name that begins with what stands before it: no character comes later. */
const LAST = '\u{10ffff}';

const writer = prepared((db, param: Param<{ run: string; attempt: number }>, dialect) => {
  const run = db
    .selectFrom('runs')
    .select('id')
    .where('id', '=', param('run'))
    .where('attempt', '=', param('attempt'))
    .where('status', '=', 'running');
  // Whoever takes the run over waits for this transaction.
  return dialect === 'postgres' ? run.forShare() : run;
});

const put = prepared((db, param: Param<{ run: string; name: string; data: Uint8Array }>) =>
  db
    .insertInto('checkpoints')
    .values({ run_id: param('run'), name: param('name'), data: param('data') })
    .onConflict((conflict) => conflict.columns(['run_id', 'name']).doUpdateSet((eb) => ({ data: eb.ref('excluded.data') }))),
);

const between = prepared((db, param: Param<{ run: string; first: string; last: string }>) =>
  db
    .selectFrom('checkpoints')
    .select(['name', 'data'])
    .where('run_id', '=', param('run'))
    .where('name', '>=', param('first'))
    .where('name', '<', param('last'))
    .orderBy('name'),
);

const forget = prepared((db, param: Param<{ run: string }>) => db.deleteFrom('checkpoints').where('run_id', '=', param('run')));

/** Stores checkpoints unless another attempt has the run; whether it did. */
export async function putCheckpoints(
  session: Session,
  ...[run, checkpoints]: Parameters<CheckpointStore['putCheckpoints']>
): Promise<boolean> {
  if ((await writer.first(session, { run: run.id, attempt: run.attempt })) === undefined) return false;
  for (const { name, data } of checkpoints) put.post(session, { run: run.id, name, data });
  return true;
}

/** A run's checkpoints whose names begin so, by name. */
export async function listCheckpoints(session: Session, runId: RunId, prefix: string): Promise<readonly Checkpoint[]> {
  const rows = await between.all(session, { run: runId, first: prefix, last: prefix + LAST });
  // As plain bytes in every store: PostgreSQL's driver gives views on larger buffers.
  return rows.map(({ name, data }) => ({ name, data: new Uint8Array(data) }));
}

/** Removes what a run that ends has kept. */
export function forgetCheckpoints(session: Session, runId: string): void {
  forget.post(session, { run: runId });
}
