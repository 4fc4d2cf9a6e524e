import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { storeContract } from '../../../../test/contracts/store.ts';
import { ann, begin, question } from '../../../../test/contracts/store-fixtures.ts';
import { searchWordsOf } from '../../../core/search-words.ts';
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

test('texts enter the search index many together, when nobody asks for them by themselves, and never get lost on the way', () =>
  inTemporary(async (dir) => {
    const asked = (text: string) => ({ ask: { kind: 'append', messages: [question(text)], parent: 'head' } }) as const;
    const waiting = () => {
      const file = new DatabaseSync(join(dir, 'polylogue.db'), { readOnly: true });
      const row = file.prepare('select count(*) as texts from search_queue').get();
      file.close();
      return Number(row?.texts);
    };
    const first = await openBuilt({ dataDir: dir });
    for (let number = 0; number < 70; number += 1) await begin(first, asked(`number${number}`));
    await first.close();
    expect(waiting()).toBeGreaterThan(0);
    expect(waiting()).toBeLessThan(64);
    const second = await openBuilt({ dataDir: dir });
    const searched = await Promise.all(
      [0, 63, 69].map((number) => second.listThreads(ann, { words: searchWordsOf(`number${number}`), limit: 9, cursor: null })),
    );
    expect(searched.map((threads) => threads.length)).toEqual([1, 1, 1]);
    await begin(second, asked('left alone'));
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    await second.close();
    expect(waiting()).toBe(0);
  }));
