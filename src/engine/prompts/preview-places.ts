import type { AppError } from '../../core/errors.ts';
import type { Observer } from '../../core/ports/observer.ts';
import type { RunStore, RunsLeft } from '../../core/ports/store.ts';
import type { Caller } from '../../core/principal.ts';
import type { Limits } from '../limits/create-limits.ts';
import { runLimitReached } from '../limits/run-bounds.ts';

/** How many previews somebody may have under way: with their unfinished runs no more than runs may be unfinished. */
export interface PreviewPlaces {
  /** Takes a place until the function it gives is called. Rejects with `run_limit`. */
  enter(caller: Caller): Promise<() => void>;
}

interface PlacePorts {
  readonly store: Pick<RunStore, 'runsLeft'>;
  readonly limits: Pick<Limits, 'unfinished'>;
  readonly observer: Observer;
}

/** Counts the previews of this process, and the runs of all that share the store. */
export function createPreviewPlaces({ store, limits, observer }: PlacePorts): PreviewPlaces {
  const taken = new Map<string, number>();
  const add = (keys: readonly string[], change: 1 | -1) => {
    for (const key of keys) {
      const count = (taken.get(key) ?? 0) + change;
      if (count === 0) taken.delete(key);
      else taken.set(key, count);
    }
  };

  return {
    async enter(caller) {
      const allowed = limits.unfinished(caller);
      if (allowed.user === null && allowed.application === null) return () => undefined;
      const keys = { user: JSON.stringify([caller.applicationId, caller.userId]), application: JSON.stringify([caller.applicationId]) };
      const full = (left: RunsLeft, bound: keyof RunsLeft) => left[bound] !== null && left[bound] + 1 < (taken.get(keys[bound]) ?? 0);
      // First taken, then counted: of two who come at once neither overlooks the other.
      add(Object.values(keys), 1);
      try {
        const left = await store.runsLeft({ owner: caller, maxUnfinished: allowed });
        if (typeof left === 'string') throw runLimitReached(allowed, left);
        for (const bound of ['user', 'application'] as const) if (full(left, bound)) throw runLimitReached(allowed, bound);
      } catch (error) {
        add(Object.values(keys), -1);
        report(observer, error as AppError);
        throw error;
      }
      return () => add(Object.values(keys), -1);
    },
  };
}

function report(observer: Observer, { code, rate }: AppError): void {
  if (rate) observer.refused({ code, limit: rate.name });
}
