/** Loads each module once, and again after a failure. */
export function oncePerModule<T>(load: (module: string) => Promise<T>): (module: string) => Promise<T> {
  const loaded = new Map<string, Promise<T>>();
  return (module) => {
    const known = loaded.get(module);
    if (known) return known;
    const loading = load(module);
    loaded.set(module, loading);
    loading.catch(() => loaded.delete(module));
    return loading;
  };
}
