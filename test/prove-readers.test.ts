import { expect, test } from 'vitest';
import { proveReaders } from './proofs/readers.ts';
import { describeReport } from './proofs/report.ts';
import { proofStores } from './support/proof-stores.ts';
import { chooseSeed } from './support/random.ts';

for (const { name, skip, open } of await proofStores()) {
  test.skipIf(skip)(
    `all readers of a run, at all doors and cut anywhere, get the same answer (${name})`,
    async () => {
      const store = await open();
      const rounds = 200;
      const report = await proveReaders({ seed: chooseSeed(), rounds, store }).finally(() => store.remove());
      process.stdout.write(`${describeReport(report)}\n`);
      expect(report.problems.list, describeReport(report)).toEqual([]);
      expect(report.figures.cuts).toBeGreaterThan(3 * rounds);
      // Readers whose last connection was there before the answer ended: all but those of a machine that was very slow.
      expect(report.figures.toTheEnd).toBeGreaterThan(5 * rounds);
      expect(report.figures.fromTheMiddle).toBeGreaterThan(rounds / 2);
    },
    180_000,
  );
}
