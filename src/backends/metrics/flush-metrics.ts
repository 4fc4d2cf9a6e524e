import { Counter, Histogram, type Registry } from 'prom-client';
import type { Observer } from '../../core/ports/observer.ts';
import { WAITS } from './waits.ts';

/** Counts what is stored and delivered: one observation a flush, and one for each run in it. */
export function createFlushMetrics(registry: Registry): Pick<Observer, 'flushed' | 'delivered' | 'flushFailed'> {
  const registers = [registry];
  const gap = new Histogram({
    name: 'polylogue_delivery_gap_seconds',
    help: 'How long readers of a run waited from one delivery of its events to the next.',
    buckets: WAITS,
    registers,
  });
  const runs = new Histogram({
    name: 'polylogue_flush_runs',
    help: 'Runs whose events were stored in one transaction.',
    buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500],
    registers,
  });
  const bytes = new Histogram({
    name: 'polylogue_flush_characters',
    help: 'Characters of events that were stored in one transaction.',
    buckets: [256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304],
    registers,
  });
  const duration = new Histogram({
    name: 'polylogue_flush_duration_seconds',
    help: 'How long a transaction of events took.',
    buckets: [0.0005, 0.001, ...WAITS],
    registers,
  });
  const failures = new Counter({
    name: 'polylogue_flush_failures_total',
    help: 'Transactions of events that were tried again.',
    registers,
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
