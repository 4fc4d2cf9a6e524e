/** A source of chance that gives the same sequence for the same seed. */
export interface Random {
  /** In [0, 1). */
  fraction(): number;
  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number;
  /** One of the items, each as likely as the others. */
  pick<Item>(items: readonly [Item, ...Item[]]): Item;
}

/** Mulberry32: small, and good enough to choose test cases. `seed` counts modulo 2^32. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const fraction = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const integer = (min: number, max: number) => min + Math.floor(fraction() * (max - min + 1));
  return { fraction, integer, pick: (items) => items[integer(0, items.length - 1)] ?? items[0] };
}

/** The seed that the environment variable PROOF_SEED or `given` names, else one that nobody has chosen; prints it, so that the same can be done again. */
export function chooseSeed(given: string | undefined = process.env.PROOF_SEED): number {
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
  if (!Number.isSafeInteger(seed)) throw new Error(`A seed is a whole number, not ${given}`);
  process.stdout.write(`seed ${seed}\n`);
  return seed;
}
