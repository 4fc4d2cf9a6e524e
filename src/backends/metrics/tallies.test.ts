import { Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createTallies } from './tallies.ts';

test('what is counted here is told as prom-client tells it', async () => {
  const registry = new Registry();
  const tallies = createTallies();
  const histograms = [
    { name: 'polylogue_flush_runs', help: 'Runs in a flush.', buckets: [1, 2.5, 10] },
    { name: 'polylogue_gap_seconds', help: 'Gaps.', buckets: [0.0005, 1] },
  ];
  for (const options of histograms) {
    const library = new Histogram({ ...options, registers: [registry] });
    const own = tallies.add(options);
    for (const value of [0, 1, 1.5, 2.5, 11, 0.0005]) {
      library.observe(value);
      own.observe(value);
    }
  }
  expect(tallies.toText()).toBe(await registry.metrics());
});
