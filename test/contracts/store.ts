import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'vitest';
import type { Store } from '../../src/core/ports/store.ts';
import { accessCases } from './store-access.ts';
import { agentCases } from './store-agents.ts';
import { attachmentCases } from './store-attachments.ts';
import { beginCases } from './store-begin.ts';
import { branchCases } from './store-branches.ts';
import type { Opened, StoreCases, StorePlace } from './store-cases.ts';
import { checkpointCases } from './store-checkpoints.ts';
import { decisionCases } from './store-decisions.ts';
import { deletionCases } from './store-deletion.ts';
import { logCases } from './store-logs.ts';
import { promptCases } from './store-prompts.ts';
import { queueCases } from './store-queue.ts';
import { runLimitCases } from './store-run-limits.ts';
import { searchCases } from './store-search.ts';
import { threadCases } from './store-threads.ts';
import { waitCases } from './store-waits.ts';

const groups: Readonly<Record<string, StoreCases>> = {
  threads: threadCases,
  'beginning a run': beginCases,
  'limits of unfinished runs': runLimitCases,
  'queue, cancel and leases': queueCases,
  'the log': logCases,
  'waiting for decisions': waitCases,
  decisions: decisionCases,
  checkpoints: checkpointCases,
  agents: agentCases,
  branches: branchCases,
  deletion: deletionCases,
  search: searchCases,
  prompts: promptCases,
  'applications and keys': accessCases,
  files: attachmentCases,
};

async function makeDirectory(): Promise<StorePlace> {
  const address = await mkdtemp(join(tmpdir(), 'polylogue-store-'));
  return {
    address,
    async holding(text) {
      const found: string[] = [];
      for (const name of await readdir(address)) if ((await readFile(join(address, name))).includes(text)) found.push(name);
      return found;
    },
    remove: () => rm(address, { recursive: true, force: true }),
  };
}

/** What every store keeps to. `open` opens the store whose data lie at an address, again and again; `make` makes a place for an empty one. */
export function storeContract(
  name: string,
  open: (address: string) => Promise<Store>,
  make: () => Promise<StorePlace> = makeDirectory,
): void {
  describe(`${name} keeps the store's contract:`, () => {
    let opened: Opened;
    beforeEach(async () => {
      const place = await make();
      opened = { place, open: () => open(place.address), store: await open(place.address) };
    });
    afterEach(async () => {
      await opened.store.close();
      await opened.place.remove();
    });
    for (const [group, cases] of Object.entries(groups)) {
      describe(group, () => {
        for (const [title, check] of Object.entries(cases)) test(title, () => check(opened));
      });
    }
  });
}
