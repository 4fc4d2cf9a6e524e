/** Remembers the last things it was told. */
export interface Recent<Item> {
  add(item: Item): void;
  has(item: Item): boolean;
  delete(item: Item): boolean;
}

export function createRecent<Item>(limit: number): Recent<Item> {
  const items = new Set<Item>();
  return {
    add(item) {
      items.delete(item);
      items.add(item);
      const oldest = items.keys().next();
      if (items.size > limit && !oldest.done) items.delete(oldest.value);
    },
    has: (item) => items.has(item),
    delete: (item) => items.delete(item),
  };
}
