/** The last things that were noted. Takes next to nothing while there are none, because every watched thread of every socket has one. */
export interface Recent<Item> {
  readonly limit: number;
  items: Set<Item> | null;
}

/** Remembers at most `limit` things. */
export function createRecent<Item>(limit: number): Recent<Item> {
  return { limit, items: null };
}

/** Notes one, as the latest; of more than the limit the one noted longest ago is forgotten. */
export function note<Item>(recent: Recent<Item>, item: Item): void {
  recent.items ??= new Set();
  const { items, limit } = recent;
  items.delete(item);
  items.add(item);
  const oldest = items.values().next();
  if (items.size > limit && !oldest.done) items.delete(oldest.value);
}

/** Whether it is remembered. */
export function isNoted<Item>({ items }: Recent<Item>, item: Item): boolean {
  return items?.has(item) ?? false;
}

/** Forgets one; whether it was remembered. */
export function forget<Item>({ items }: Recent<Item>, item: Item): boolean {
  return items?.delete(item) ?? false;
}
