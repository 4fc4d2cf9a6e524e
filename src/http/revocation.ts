const nothing = () => undefined;
const watched = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls back once when the signal aborts, at once when it has, until the function it returns is called. The signal itself has one listener,
 * however many streams of a key wait for its revocation: each further one would make adding and removing slower.
 */
export function onRevoked(signal: AbortSignal | null | undefined, callback: () => void): () => void {
  if (!signal) return nothing;
  if (signal.aborted) {
    callback();
    return nothing;
  }
  const callbacks = watched.get(signal) ?? listenTo(signal);
  // A function of its own, because the same callback may be given twice.
  const call = () => callback();
  callbacks.add(call);
  return () => void callbacks.delete(call);
}

function listenTo(signal: AbortSignal): Set<() => void> {
  const callbacks = new Set<() => void>();
  watched.set(signal, callbacks);
  const callAll = () => {
    for (const callback of [...callbacks]) callback();
    callbacks.clear();
  };
  signal.addEventListener('abort', callAll, { once: true });
  return callbacks;
}
