import { Counter, type Registry } from 'prom-client';
import type { Observer } from '../../core/ports/observer.ts';
import type { Tallies } from './tallies.ts';
import { WAITS } from './waits.ts';

/** Counts what is stored and delivered: one observation a flush, and one for each run in it. */
export function createFlushMetrics(registry: Registry, tallies: Tallies): Pick<Observer, 'flushed' | 'delivered' | 'flushFailed'> {
  const gap = tallies.add({
    name: 'polylogue_delivery_gap_seconds',
    help: 'How long readers of a run waited from one delivery of its events to the next.',
    buckets: WAITS,
  });
  const runs = tallies.add({
    name: 'polylogue_flush_runs',
    help: 'Runs whose events were stored in one transaction.',
    buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500],
  });
  const bytes = tallies.add({
    name: 'polylogue_flush_characters',
    help: 'Characters of events that were stored in one transaction.',
    buckets: [256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304],
  });
  const duration = tallies.add({
    name: 'polylogue_flush_duration_seconds',
    help: 'How long a transaction of events took.',
    buckets: [0.0005, 0.001, ...WAITS],
  });
  const failures = new Counter({
    name: 'polylogue_flush_failures_total',
    help: 'Transactions of events that were tried again.',
    registers: [registry],
  });
  return {
    flushed(flush) {
      runs.observe(flush.segments + flush.ends);
      bytes.observe(flush.bytes);
      duration.observe(flush.durationMs / 1000);
    },
    delivered(gapsMs) {
      for (const ms of gapsMs) gap.observe(ms / 1000);
    },
    flushFailed: () => failures.inc(),
  };
}
