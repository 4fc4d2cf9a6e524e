import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Clock } from '../../core/ports/clock.ts';
import type { Observer } from '../../core/ports/observer.ts';
import type { RunStore } from '../../core/ports/store.ts';
import { createRunMetrics } from './run-metrics.ts';
import { createSocketMetrics, type SocketMetrics } from './socket-metrics.ts';
import { addStoredRuns } from './stored-runs.ts';
import { createTallies } from './tallies.ts';

/** What a server tells of an answered request: names of routes and dialects, never an address. */
interface AnsweredRequest {
  readonly dialect: string;
  readonly route: string;
  readonly method: string;
  readonly status: number;
  /** Null for a response that went on as a stream. */
  readonly durationMs: number | null;
}

/** What happens in this process, in numbers for Prometheus. */
export interface ProcessMetrics {
  readonly observer: Observer;
  answered(request: AnsweredRequest): void;
  readonly sockets: SocketMetrics;
  /** All of it in Prometheus' text format; `open` counts connections by kind. */
  read(open: Readonly<Record<string, number>>): Promise<{ readonly type: string; readonly text: string }>;
}

interface MetricsOptions {
  /** Whether the catalogue lists a model of that name; others are counted together. */
  readonly isListed: (model: string) => boolean;
  readonly store: Pick<RunStore, 'countUnfinished'>;
  readonly clock: Clock;
}

let processRegistry: Registry | null = null;

export function createMetrics({ isListed, store, clock }: MetricsOptions): ProcessMetrics {
  const registry = new Registry();
  const tallies = createTallies();
  const registers = [registry];
  const requests = new Counter({
    name: 'polylogue_http_requests_total',
    help: 'Answered HTTP requests.',
    labelNames: ['dialect', 'route', 'method', 'status'],
    registers,
  });
  const duration = new Histogram({
    name: 'polylogue_http_request_duration_seconds',
    help: 'How long answers took that are no streams.',
    labelNames: ['dialect', 'route', 'method'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60],
    registers,
  });
  const connections = new Gauge({ name: 'polylogue_open_connections', help: 'Open connections.', labelNames: ['kind'], registers });
  const countStored = addStoredRuns({ registry, store, clock });
  const ofProcess = registryOfProcess();
  const modelLabel = (model: string) => (isListed(model) ? model : 'other');
  return {
    observer: createRunMetrics({ registry, tallies, modelLabel }),
    answered({ dialect, route, method, status, durationMs }) {
      requests.inc({ dialect, route, method, status });
      if (durationMs !== null) duration.observe({ dialect, route, method }, durationMs / 1000);
    },
    sockets: createSocketMetrics(registry),
    async read(open) {
      await countStored();
      for (const [kind, count] of Object.entries(open)) connections.set({ kind }, count);
      const texts = await Promise.all([registry.metrics(), ofProcess.metrics()]);
      return { type: registry.contentType, text: [...texts, tallies.toText()].join('') };
    },
  };
}

/** Memory, processor time, garbage collection and lateness of the event loop are the process's, however many servers run in it. */
function registryOfProcess(): Registry {
  if (processRegistry) return processRegistry;
  processRegistry = new Registry();
  collectDefaultMetrics({ register: processRegistry });
  return processRegistry;
}
