/** Lets so many go on at a time; the others wait in their order. The function that it resolves with makes room. */
export function createSlots(limit: number): (signal: AbortSignal) => Promise<() => void> {
  let free = limit;
  const waiting: (() => void)[] = [];

  function release(): void {
    const next = waiting.shift();
    if (next) next();
    else free += 1;
  }

  return async (signal) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    if (!signal.aborted) return release;
    release();
    throw signal.reason;
  };
}
