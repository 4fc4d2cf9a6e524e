import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { ann, lease, NOW } from '../../../../test/contracts/store-fixtures.ts';
import { deciding, namesOf } from '../../../../test/contracts/store-waits-fixtures.ts';
import type { RunId } from '../../../core/ids.ts';
import { openSqliteStore } from './index.ts';

const RUNS = 30;
const program = new URL('../../../../test/support/waiting-runs.ts', import.meta.url).pathname;

/** Runs that a process has let wait until it was killed in the middle of its work. */
async function killedAmongWaits(dataDir: string): Promise<readonly RunId[]> {
  const child = spawn(process.execPath, [program, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(child, 'close');
  const told: RunId[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    if (told.push(line as RunId) === RUNS) child.kill('SIGKILL');
  }
  expect(await gone).toEqual([null, 'SIGKILL']);
  return told;
}

test('runs that waited when their process was killed wait, and go on', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'polylogue-killed-'));
  const waiting = await killedAmongWaits(dataDir);
  expect(waiting.length).toBeGreaterThanOrEqual(RUNS);
  const store = await openSqliteStore({ dataDir });
  const now = NOW + 1e12;
  const lost = await store.takeLost({ now, lease });
  expect(lost.filter(({ run }) => waiting.includes(run.id))).toEqual([]);
  for (const id of waiting) {
    const run = await store.findRun(ann, id);
    if (run === null) throw new Error('A run that waited is gone.');
    expect([run.status, run.attempt]).toEqual(['waiting', 1]);
    expect(await namesOf(store, run)).toEqual([
      ...['1 run.started', '2 text.appended', '3 approval.requested', '4 approval.requested', '5 approval.decided'],
    ]);
    expect(await store.decideApproval(deciding(run, 'c1'))).toMatchObject({ kind: 'already_decided', decision: 'approve' });
    expect(await store.decideApproval(deciding(run, 'c2'))).toMatchObject({ kind: 'decided', run: { status: 'queued' } });
  }
  const claimed = await store.claimQueued({ now, lease });
  expect(claimed.filter(({ id }) => waiting.includes(id)).map(({ attempt }) => attempt)).toEqual(waiting.map(() => 2));
  for (const run of claimed) expect((await namesOf(store, run)).at(-1)).toBe('7 run.restarted');
  await store.close();
  await rm(dataDir, { recursive: true });
});
