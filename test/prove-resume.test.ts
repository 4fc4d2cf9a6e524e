import { expect, test } from 'vitest';
import { describeReport } from './proofs/report.ts';
import { proveResume } from './proofs/resume.ts';
import { proofStores } from './support/proof-stores.ts';
import { chooseSeed } from './support/random.ts';

const STREAMS = { embedded: 1_000, postgres: 500 };

for (const { name, skip, open } of await proofStores()) {
  test.skipIf(skip)(
    `a stream that is cut anywhere and resumed through any door has every token once and in order (${name})`,
    async () => {
      const streams = STREAMS[name];
      const store = await open();
      const report = await proveResume({ seed: chooseSeed(), streams, store }).finally(() => store.remove());
      process.stdout.write(`${describeReport(report)}\n`);
      expect(report.problems.list, describeReport(report)).toEqual([]);
      expect(report.figures.cuts).toBeGreaterThan(2 * streams);
      expect(report.figures.crossings).toBeGreaterThan(streams / 3);
    },
    180_000,
  );
}
