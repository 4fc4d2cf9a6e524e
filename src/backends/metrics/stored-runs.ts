import { Gauge, type Registry } from 'prom-client';
import type { Clock } from '../../core/ports/clock.ts';
import type { RunStore } from '../../core/ports/store.ts';

/** So many runs are counted at most. */
const MAX_COUNTED = 100_000;
/** However often somebody asks, the store counts no more often than this. */
const FRESH_MS = 5_000;
/** A store that takes longer gives no figures. */
const WAIT_MS = 2_000;

interface StoredRunsOptions {
  readonly registry: Registry;
  readonly store: Pick<RunStore, 'countUnfinished'>;
  readonly clock: Clock;
}

/**
 * Adds how many runs of the store have not ended, by state: the same in all servers that share it. The function it returns refreshes the
 * figures, and never rejects; while the store does not answer there are none.
 */
export function addStoredRuns({ registry, store, clock }: StoredRunsOptions): () => Promise<void> {
  const runs = new Gauge({
    name: 'polylogue_stored_runs',
    help: 'Runs in the store that have not ended, in all servers that share it; at most 100,000 are counted.',
    labelNames: ['state'],
    registers: [registry],
  });
  let freshUntil = 0;
  let counting: Promise<void> | null = null;

  async function count(): Promise<void> {
    try {
      const counts = await store.countUnfinished(MAX_COUNTED);
      for (const [state, value] of Object.entries(counts)) runs.set({ state }, value);
    } catch {
      // The store's trouble is in the log and in other figures already: old numbers would hide it.
      runs.reset();
    }
    freshUntil = clock.elapsed() + FRESH_MS;
    counting = null;
  }

  return async () => {
    if (counting === null && clock.elapsed() < freshUntil) return;
    counting ??= count();
    const enough = new AbortController();
    const tooLong = clock.sleep(WAIT_MS, enough.signal).then(
      () => runs.reset(),
      () => undefined,
    );
    await Promise.race([counting, tooLong]);
    enough.abort();
  };
}
