import { randomBytes } from 'node:crypto';
import { v7 } from 'uuid';
import type { IdSource } from '../../core/ports/ids.ts';

/** Ids from the system's cryptographic randomness. */
export const randomIds: IdSource = {
  uuid: <Id extends string>() => v7() as Id,
  number: () => {
    for (;;) {
      const number = Number(randomBytes(8).readBigUInt64BE() >> 11n);
      if (number !== 0) return number;
    }
  },
};
