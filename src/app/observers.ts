import type { Logger } from 'pino';
import { createLogObserver } from '../backends/logger/log-observer.ts';
import { createMetrics, type ProcessMetrics } from '../backends/metrics/create-metrics.ts';
import { createTraceObserver } from '../backends/tracing/trace-observer.ts';
import { combineObservers } from '../core/combine-observers.ts';
import type { Catalogue } from '../core/ports/catalogue.ts';
import type { Observer } from '../core/ports/observer.ts';

/** Everything that watches the engine, as one observer, and the figures that come of it. */
export function openObservers(log: Logger, catalogue: Catalogue): { readonly observer: Observer; readonly metrics: ProcessMetrics } {
  const metrics = createMetrics({ isListed: (model) => catalogue.list().some(({ name }) => name === model) });
  const observers = [createLogObserver(log), metrics.observer, createTraceObserver()];
  return { observer: combineObservers(observers, (err) => log.error({ err }, 'an observer failed')), metrics };
}
