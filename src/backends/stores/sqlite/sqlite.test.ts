import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { storeContract } from '../../../../test/contracts/store.ts';
import { openSqliteStore } from './index.ts';
import { startWorker } from './worker-client.ts';

// As it ships: Node strips types by WebAssembly in every thread, and so many threads make V8 crash now and then (nodejs/node#64500).
const built = new URL('../../../../dist/backends/stores/sqlite/index.js', import.meta.url).href;
const { openSqliteStore: openBuilt } = (await import(built)) as typeof import('./index.ts');

storeContract('sqlite', (dir) => openBuilt({ dataDir: dir }));

async function inTemporary(check: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'polylogue-sqlite-'));
  try {
    await check(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

test('a new data directory is for its owner only', () =>
  inTemporary(async (dir) => {
    const dataDir = join(dir, 'deep', 'data');
    const store = await openSqliteStore({ dataDir });
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
    expect((await stat(join(dataDir, 'polylogue.db'))).mode & 0o777).toBe(0o600);
    expect((await stat(join(dataDir, 'polylogue.db-wal'))).mode & 0o777).toBe(0o600);
    await store.close();
  }));

test('every call that waits, and every later one, rejects when the worker is gone', () =>
  inTemporary(async (dir) => {
    const client = await startWorker(dir, () => {});
    const waiting = Array.from({ length: 5 }, () => client.call('ping', []));
    const outcomes = Promise.allSettled(waiting);
    await client.terminate();
    expect((await outcomes).some((outcome) => outcome.status === 'rejected')).toBe(true);
    await expect(client.call('ping', [])).rejects.toMatchObject({ code: 'overloaded' });
  }));
