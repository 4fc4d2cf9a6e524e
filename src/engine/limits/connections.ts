import { AppError } from '../../core/errors.ts';
import type { Observer } from '../../core/ports/observer.ts';

/** How many connections somebody may have open at once. */
export interface ConnectionBound {
  readonly key: string;
  readonly name: string;
  readonly limit: number;
}

const RETRY_SECONDS = 5;

/** Counts open connections of this process: each call counts one until the function it returns is called, which may happen twice. */
export function createConnectionCounter({ observer }: { observer: Observer }): (bounds: readonly ConnectionBound[]) => () => void {
  const open = new Map<string, number>();

  function add(key: string, change: 1 | -1): void {
    const count = (open.get(key) ?? 0) + change;
    if (count === 0) open.delete(key);
    else open.set(key, count);
  }

  return (bounds) => {
    const full = bounds.find(({ key, limit }) => (open.get(key) ?? 0) >= limit);
    if (full) {
      observer.refused({ code: 'too_many_connections', limit: full.name });
      throw new AppError('too_many_connections', `Too many connections: ${full.limit} may be open at once. Close one first`, {
        retryAfterSeconds: RETRY_SECONDS,
        rate: { name: full.name, limit: full.limit, remaining: 0, resetMs: RETRY_SECONDS * 1000 },
      });
    }
    for (const { key } of bounds) add(key, 1);
    let counted = true;
    return () => {
      if (counted) for (const { key } of bounds) add(key, -1);
      counted = false;
    };
  };
}
