import type { Logger } from 'pino';
import { systemClock } from '../backends/clock/system-clock.ts';
import { createLogObserver } from '../backends/logger/log-observer.ts';
import { createMetrics, type ProcessMetrics } from '../backends/metrics/create-metrics.ts';
import { createTraceObserver } from '../backends/tracing/trace-observer.ts';
import { combineObservers } from '../core/combine-observers.ts';
import type { Catalogue } from '../core/ports/catalogue.ts';
import type { Observer } from '../core/ports/observer.ts';
import type { RunStore } from '../core/ports/store.ts';

interface Watched {
  readonly catalogue: Pick<Catalogue, 'lists'>;
  readonly store: Pick<RunStore, 'countUnfinished'>;
}

/** Everything that watches the engine, as one observer, and the figures that come of it. */
export function openObservers(
  log: Logger,
  { catalogue, store }: Watched,
): { readonly observer: Observer; readonly metrics: ProcessMetrics } {
  const metrics = createMetrics({ isListed: catalogue.lists, store, clock: systemClock });
  const observers = [createLogObserver(log), metrics.observer, createTraceObserver(systemClock)];
  return { observer: combineObservers(observers, (err) => log.error({ err }, 'an observer failed')), metrics };
}
