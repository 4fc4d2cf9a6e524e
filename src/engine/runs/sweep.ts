import { type QueuePorts, startQueued } from './queue.ts';
import { type RecoverPorts, takeUpLostRuns } from './recover.ts';

/**
 * So long nobody's runs count as lost after the store could not be reached: their owners could not renew their leases either, and get the time
 * to do so twice.
 */
const PATIENCE_MS = 6_000;

interface SweepPorts extends Omit<QueuePorts, 'execute'>, Pick<RecoverPorts, 'store' | 'tell' | 'canResume' | 'execute'> {
  readonly store: QueuePorts['store'] & RecoverPorts['store'];
  /** Prolongs the leases on the runs that this process executes. */
  readonly renew: () => Promise<void>;
}

/** Makes what takes up runs whose process died, and starts what waits without one. Rejects when the store cannot be reached. */
export function createSweep(ports: SweepPorts): () => Promise<void> {
  const { clock, lease, renew } = ports;
  let failedAt = Number.NEGATIVE_INFINITY;

  return async () => {
    try {
      // Its own first: what it executes is not lost, however long nobody could say so.
      await renew();
      const claim = lease();
      if (claim && clock.elapsed() - failedAt >= PATIENCE_MS) await takeUpLostRuns({ ...ports, lease: claim });
      await startQueued(ports);
    } catch (error) {
      failedAt = clock.elapsed();
      throw error;
    }
  };
}
