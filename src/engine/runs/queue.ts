import type { Clock } from '../../core/ports/clock.ts';
import type { Lease, RunStore } from '../../core/ports/store.ts';
import type { Run } from '../../core/run.ts';

export interface QueuePorts {
  readonly store: Pick<RunStore, 'claimQueued'>;
  readonly clock: Clock;
  readonly lease: () => Lease | null;
  readonly execute: (run: Run) => void;
}

/** Starts every queued run that nothing stands before. */
export async function startQueued({ store, clock, lease, execute }: QueuePorts): Promise<void> {
  const claim = lease();
  if (!claim) return;
  for (const run of await store.claimQueued({ now: clock.now(), lease: claim })) execute(run);
}
