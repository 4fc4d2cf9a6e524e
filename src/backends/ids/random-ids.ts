import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';
import type { IdSource } from '../../core/ports/ids.ts';

const BYTES_AN_ID = 16;
/** Asked of the system at once: asking costs more than the bytes. */
const POOL_BYTES = 256 * BYTES_AN_ID;

const pool = Buffer.alloc(POOL_BYTES);
let used = POOL_BYTES;
/** The time and the place within it of the newest id, which the next one comes behind. */
let newest = { msecs: 0, seq: 0 };

/** Ids from the system's cryptographic randomness; UUIDs of this process are in the order in which they were made (RFC 9562 section 6.2). */
export const randomIds: IdSource = {
  uuid<Id extends string>() {
    const random = randomBytes();
    newest = nextPlace(random);
    return v7({ ...newest, random }) as Id;
  },
  number() {
    for (;;) {
      const number = Number(randomBytes().readBigUInt64BE() >> 11n);
      if (number !== 0) return number;
    }
  },
};

/** Sixteen bytes that nobody had before. */
function randomBytes(): Buffer {
  if (used === POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  used += BYTES_AN_ID;
  return pool.subarray(used - BYTES_AN_ID, used);
}

/** A random place in a new millisecond, else the one behind the newest. */
function nextPlace(random: Buffer): typeof newest {
  const now = Date.now();
  if (now > newest.msecs) return { msecs: now, seq: random.readUInt32BE(6) & 0x7fff_ffff };
  const seq = (newest.seq + 1) | 0;
  return { msecs: seq === 0 ? newest.msecs + 1 : newest.msecs, seq };
}
