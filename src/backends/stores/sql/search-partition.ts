const PARTITIONS = 36 ** 4;

/**
 * What every word of a user begins with in the index, four letters and digits: a search reads the words of its own user and hardly anybody
 * else's. Two users may share one; whose thread it is the query asks besides.
 */
export function partitionOf(userId: string): string {
  // FNV-1a, which never changes: the index is full of it.
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(userId)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return (hash % PARTITIONS).toString(36).padStart(4, '0');
}
