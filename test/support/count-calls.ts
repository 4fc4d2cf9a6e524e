import type { Store } from '../../src/core/ports/store.ts';

/** The same store, and how often each of its operations was called since that was asked last. */
export function countCalls(store: Store): { store: Store; calls: () => Record<string, number> } {
  let counts: Record<string, number> = {};
  const counted = Object.entries(store).map(([name, member]) => {
    if (typeof member !== 'function') return [name, member];
    const call = (...input: unknown[]) => {
      counts[name] = (counts[name] ?? 0) + 1;
      return Reflect.apply(member, store, input);
    };
    return [name, call];
  });
  return {
    store: Object.fromEntries(counted) as Store,
    calls: () => {
      const seen = counts;
      counts = {};
      return seen;
    },
  };
}
