import type { Clock } from '../../core/ports/clock.ts';
import type { Owner } from '../../core/principal.ts';

const LATELY_MS = 60_000;
const MAX_REMEMBERED = 10_000;

/** Remembers for a minute whose runs did not fit; of more than 10,000 users forgets those of longest ago. */
export interface LatelyRefused {
  note(owner: Owner): void;
  has(owner: Owner): boolean;
}

export function createLatelyRefused(clock: Pick<Clock, 'elapsed'>): LatelyRefused {
  const until = new Map<string, number>();
  const nameOf = ({ applicationId, userId }: Owner) => JSON.stringify([applicationId, userId]);
  return {
    note(owner) {
      const name = nameOf(owner);
      until.delete(name);
      until.set(name, clock.elapsed() + LATELY_MS);
      const oldest = until.keys().next();
      if (until.size > MAX_REMEMBERED && !oldest.done) until.delete(oldest.value);
    },
    has: (owner) => until.size > 0 && (until.get(nameOf(owner)) ?? 0) > clock.elapsed(),
  };
}
