/** Points of this process that were taken for something of which nobody knows yet whether it happens. */
export interface PendingPoints {
  add(bound: string): void;
  remove(bound: string): void;
  /** Whether points of this bound may still come back. */
  has(bound: string): boolean;
}

export function createPendingPoints(): PendingPoints {
  const counts = new Map<string, number>();
  function change(bound: string, by: 1 | -1): void {
    const count = (counts.get(bound) ?? 0) + by;
    if (count === 0) counts.delete(bound);
    else counts.set(bound, count);
  }
  return { add: (bound) => change(bound, 1), remove: (bound) => change(bound, -1), has: (bound) => counts.has(bound) };
}
