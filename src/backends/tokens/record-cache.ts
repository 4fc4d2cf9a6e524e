import type { Clock } from '../../core/ports/clock.ts';

interface RecordCacheOptions<Key, Value> {
  /** Reads a record, null when there is none; its failure is the look-up's. */
  readonly load: (key: Key) => Promise<Value | null>;
  readonly clock: Clock;
  /** How many records, and how many names without one, are remembered; the longest unused is forgotten first. */
  readonly capacity: number;
  /** How long it is remembered that there is no record, in milliseconds. */
  readonly absenceMs: number;
}

/** Remembers records of the store until told that they may have changed. */
export interface RecordCache<Key, Value> {
  /** Null when there is none. Look-ups of one key at the same time are one query. */
  find(key: Key): Promise<Value | null>;
  /** What is remembered, without asking the store; null that there is none, undefined nothing. */
  peek(key: Key): Value | null | undefined;
  /** Call before reading again what may have changed: look-ups under way will ask again, and absences are forgotten. */
  invalidate(): void;
  /** Exchanges remembered records; null forgets one. */
  replace(change: (value: Value, key: Key) => Value | null): void;
  keys(): readonly Key[];
}

export function createRecordCache<Key, Value>(options: RecordCacheOptions<Key, Value>): RecordCache<Key, Value> {
  const { load, clock, capacity, absenceMs } = options;
  const records = new Map<Key, Value>();
  /** When to ask again, by `clock.elapsed`. */
  const absences = new Map<Key, number>();
  const lookUps = new Map<Key, Promise<Value | null>>();
  let generation = 0;

  async function lookUp(key: Key): Promise<Value | null> {
    for (;;) {
      const before = generation;
      const value = await load(key);
      // Read before a change that is known by now: remembering it could keep a revoked key alive.
      if (before !== generation) continue;
      if (value === null) remember(absences, key, clock.elapsed() + absenceMs);
      else remember(records, key, value);
      return value;
    }
  }

  function remember<Entry>(entries: Map<Key, Entry>, key: Key, entry: Entry): void {
    entries.delete(key);
    const oldest = entries.keys().next();
    if (entries.size >= capacity && !oldest.done) entries.delete(oldest.value);
    entries.set(key, entry);
  }

  function peek(key: Key): Value | null | undefined {
    const value = records.get(key);
    if (value !== undefined) {
      records.delete(key);
      records.set(key, value);
      return value;
    }
    const until = absences.get(key);
    if (until === undefined) return undefined;
    if (clock.elapsed() < until) return null;
    absences.delete(key);
    return undefined;
  }

  return {
    async find(key) {
      const known = peek(key);
      if (known !== undefined) return known;
      const lookingUp = lookUps.get(key) ?? lookUp(key).finally(() => lookUps.delete(key));
      lookUps.set(key, lookingUp);
      return await lookingUp;
    },
    peek,
    invalidate() {
      generation += 1;
      absences.clear();
    },
    replace(change) {
      for (const [key, value] of [...records]) {
        const next = change(value, key);
        if (next === null) records.delete(key);
        else records.set(key, next);
      }
    },
    keys: () => [...records.keys()],
  };
}
