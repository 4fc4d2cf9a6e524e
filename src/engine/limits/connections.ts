import type { Observer } from '../../core/ports/observer.ts';
import { connectionsExceeded } from '../../core/refusals.ts';

/** How many connections somebody may have open at once. */
export interface ConnectionBound {
  readonly key: string;
  readonly name: string;
  readonly limit: number;
}

const nothing = () => undefined;

/** Counts open connections of this process: each call counts one until the function it returns is called, which may happen twice. */
export function createConnectionCounter({ observer }: { observer: Observer }): (bounds: readonly ConnectionBound[]) => () => void {
  const open = new Map<string, number>();

  function add(key: string, change: 1 | -1): void {
    const count = (open.get(key) ?? 0) + change;
    if (count === 0) open.delete(key);
    else open.set(key, count);
  }

  return (bounds) => {
    if (bounds.length === 0) return nothing;
    const full = bounds.find(({ key, limit }) => (open.get(key) ?? 0) >= limit);
    if (full) {
      observer.refused({ code: 'too_many_connections', limit: full.name });
      throw connectionsExceeded(full);
    }
    for (const { key } of bounds) add(key, 1);
    let counted = true;
    return () => {
      if (counted) for (const { key } of bounds) add(key, -1);
      counted = false;
    };
  };
}
