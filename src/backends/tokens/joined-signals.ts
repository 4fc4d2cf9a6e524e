/** Gives a signal that aborts with either of two, the same one for the same two: many tokens share it. */
export type JoinSignals = (first: AbortSignal | null, second: AbortSignal) => AbortSignal;

export function createJoinedSignals(): JoinSignals {
  const joined = new WeakMap<AbortSignal, WeakMap<AbortSignal, AbortSignal>>();
  return (first, second) => {
    if (first === null) return second;
    const ofFirst = joined.get(first) ?? new WeakMap<AbortSignal, AbortSignal>();
    joined.set(first, ofFirst);
    const both = ofFirst.get(second) ?? AbortSignal.any([first, second]);
    ofFirst.set(second, both);
    return both;
  };
}
