import { expect, test } from 'vitest';
import { proveQueue } from './proofs/queue.ts';
import { describeReport } from './proofs/report.ts';
import { proofStores } from './support/proof-stores.ts';
import { chooseSeed } from './support/random.ts';

const THREADS = { embedded: 50, postgres: 30 };

for (const { name, skip, open } of await proofStores()) {
  test.skipIf(skip)(
    `many senders in one thread get one order, and one answer at a time (${name})`,
    async () => {
      const store = await open();
      const report = await proveQueue({ seed: chooseSeed(), threads: THREADS[name], store }).finally(() => store.remove());
      process.stdout.write(`${describeReport(report)}\n`);
      expect(report.problems.list, describeReport(report)).toEqual([]);
      expect(report.figures.full).toBeGreaterThan(0);
    },
    180_000,
  );
}
