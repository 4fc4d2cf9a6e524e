import { performance } from 'node:perf_hooks';
import type { LoadGauge, LoadLevel } from '../../core/ports/load.ts';

const SAMPLE_MS = 250;
/** Share of the time that the event loop works: from here on it is busy, and stays so until it is below the second one. */
const BUSY_FROM = 0.3;
const CALM_BELOW = 0.2;
/** A sample this late, twice in a row: whoever asks now waits longer than a client that is told to come back. */
const OVERLOADED_LATE_MS = 500;

/** A gauge that has to be closed. */
export interface EventLoopGauge extends LoadGauge {
  close(): void;
}

/** Watches this thread's event loop: how much of the time it works, and how late what is due gets its turn. */
export function createEventLoopGauge(): EventLoopGauge {
  let busy = false;
  let lateSamples = 0;
  let last = performance.eventLoopUtilization();
  let due = performance.now() + SAMPLE_MS;

  const sample = (): void => {
    const now = performance.now();
    lateSamples = now - due > OVERLOADED_LATE_MS ? lateSamples + 1 : 0;
    due = now + SAMPLE_MS;
    const current = performance.eventLoopUtilization();
    busy = performance.eventLoopUtilization(current, last).utilization >= (busy ? CALM_BELOW : BUSY_FROM);
    last = current;
  };

  const timer = setInterval(sample, SAMPLE_MS);
  timer.unref();
  return {
    level(): LoadLevel {
      if (lateSamples > 1) return 'overloaded';
      return busy ? 'busy' : 'calm';
    },
    close: () => clearInterval(timer),
  };
}
