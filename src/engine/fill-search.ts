import type { Clock } from '../core/ports/clock.ts';
import type { Observer } from '../core/ports/observer.ts';
import type { SearchStore } from '../core/ports/search-store.ts';

interface FillPorts {
  readonly store: SearchStore;
  readonly clock: Clock;
  readonly observer: Observer;
}

const PAUSE_MS = 100;
/** About 20 ms of the store's time. */
const MESSAGES = 100;

/** Brings into the search what was stored before there was one, bit by bit; the function it returns stops that, and the next start goes on. */
export function startFillingSearch({ store, clock, observer }: FillPorts): () => void {
  const fill = async (): Promise<void> => {
    if (!(await store.fillSearch(MESSAGES))) stop();
  };
  const stop = clock.every(PAUSE_MS, () => fill().catch((error: unknown) => observer.faulted('filling the search', error)));
  return stop;
}
