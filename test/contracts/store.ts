import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'vitest';
import type { Store } from '../../src/core/ports/store.ts';
import { beginCases } from './store-begin.ts';
import { branchCases } from './store-branches.ts';
import type { Opened, StoreCases } from './store-cases.ts';
import { deletionCases } from './store-deletion.ts';
import { logCases } from './store-logs.ts';
import { queueCases } from './store-queue.ts';
import { threadCases } from './store-threads.ts';

const groups: Readonly<Record<string, StoreCases>> = {
  threads: threadCases,
  'beginning a run': beginCases,
  'queue, cancel and leases': queueCases,
  'the log': logCases,
  branches: branchCases,
  deletion: deletionCases,
};

/** What every store keeps to. `open` opens the store whose data lie in `dir`, again and again. */
export function storeContract(name: string, open: (dir: string) => Promise<Store>): void {
  describe(`${name} keeps the store's contract:`, () => {
    let opened: Opened;
    beforeEach(async () => {
      const dir = await mkdtemp(join(tmpdir(), 'polylogue-store-'));
      opened = { dir, open: () => open(dir), store: await open(dir) };
    });
    afterEach(async () => {
      await opened.store.close();
      await rm(opened.dir, { recursive: true, force: true });
    });
    for (const [group, cases] of Object.entries(groups)) {
      describe(group, () => {
        for (const [title, check] of Object.entries(cases)) test(title, () => check(opened));
      });
    }
  });
}
