import { randomBytes } from 'node:crypto';

/** A random integer in 1 .. 2^53-1: a sequence would tell counts and could be walked. */
export function randomNumber(): number {
  const bits = randomBytes(8).readBigUInt64BE() >> 11n;
  return bits === 0n ? randomNumber() : Number(bits);
}
