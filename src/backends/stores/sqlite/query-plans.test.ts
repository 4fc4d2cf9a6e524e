import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { ann } from '../../../../test/contracts/store-fixtures.ts';
import type { MessageId, ProcessId, RunId, ThreadId } from '../../../core/ids.ts';
import { claimQueued, renewLeases, takeLost } from '../sql/claims.ts';
import { countUnfinished } from '../sql/count-unfinished.ts';
import type { Db } from '../sql/db.ts';
import { migrate } from '../sql/migrations.ts';
import { runsLeft } from '../sql/run-limits.ts';
import { activeRun, findRun, findWritableRun, liveRunOf, unfinishedRuns } from '../sql/runs.ts';
import type { Session } from '../sql/session.ts';
import { findThreadRow, ownersOfThread } from '../sql/threads.ts';
import { sessionOf, statementsOn } from './statements.ts';

/** A session on an empty database that notes how each query would be answered. */
async function explaining(): Promise<{ readonly session: Session; readonly plans: string[] }> {
  const database = new DatabaseSync(':memory:');
  const session = sessionOf(statementsOn(database));
  await migrate(session);
  const plans: string[] = [];
  const note = (sql: string): void => {
    for (const { detail } of database.prepare(`explain query plan ${sql}`).all()) plans.push(String(detail));
  };
  return {
    plans,
    session: {
      ...session,
      all: (sql, parameters) => {
        note(sql);
        return session.all(sql, parameters);
      },
    },
  };
}

test('no query of a run reads every run, thread or user there is', async () => {
  const { session, plans } = await explaining();
  const [runId, messageId, id] = ['r' as RunId, 'm' as MessageId, 't' as ThreadId];
  const lease = { processId: 'p' as ProcessId, until: 2 };
  const log = {} as Db['log'];
  await claimQueued({ session, log }, lease);
  await renewLeases(session, lease);
  await takeLost({ session, log }, { now: 1, lease });
  await countUnfinished(session, 9);
  await runsLeft(session, { owner: ann, maxUnfinished: { user: 9, application: 9 } });
  await unfinishedRuns(session, { application_id: 'a', user_id: 'u', thread_key: 'k' });
  await activeRun(session, ann);
  await liveRunOf(session, ann, messageId);
  await findRun(session, ann, runId);
  await findWritableRun(session, runId, 1);
  await findThreadRow(session, ann, { id });
  await ownersOfThread(session, ann.applicationId, id);
  const scans = plans.filter((plan) => /^SCAN (runs|ahead|threads|users)\b/.test(plan));
  expect(plans.length).toBeGreaterThan(scans.length);
  expect(new Set(scans)).toEqual(new Set(['SCAN runs USING INDEX runs_unfinished']));
  expect(plans.filter((plan) => /^SEARCH users .*\(application_id=\?\)/.test(plan))).toEqual([]);
});
