import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { KeyMaker } from '../../core/ports/secrets.ts';

/** How every API key begins, so that it can be told from a token, and found by scanners of leaked secrets. */
export const API_KEY_PREFIX = 'plg_';
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 62^32 is 190 bits. */
const RANDOM_CHARACTERS = 32;
/** As many as 32 bits need: 62^6 > 2^32. */
const CHECKSUM_CHARACTERS = 6;
const HINT_CHARACTERS = 4;
const FORM = new RegExp(`^${API_KEY_PREFIX}[0-9A-Za-z]{${RANDOM_CHARACTERS + CHECKSUM_CHARACTERS}}$`);
/** The largest multiple of 62 that a byte can hold: what is above would make some characters likelier than others. */
const FAIR_BYTES = 248;

/** Makes keys of 190 random bits behind a prefix, with a checksum that tells typing errors and guesses apart from keys. */
export const keyMaker: KeyMaker = {
  make() {
    const body = API_KEY_PREFIX + randomText(RANDOM_CHARACTERS);
    const secret = body + checksumOf(body);
    return { secret, digest: digestOf(secret), hint: secret.slice(-HINT_CHARACTERS) };
  },
};

/** Whether a text could be a key at all; needs no store, and keeps misspelt keys away from it. */
export function hasKeyForm(text: string): boolean {
  return FORM.test(text) && checksumOf(text.slice(0, -CHECKSUM_CHARACTERS)) === text.slice(-CHECKSUM_CHARACTERS);
}

/** What stands in the store for a key: its SHA-256 in hexadecimal. Not slow on purpose, because nobody guesses 190 bits. */
export function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

function randomText(length: number): string {
  let text = '';
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < FAIR_BYTES && text.length < length) text += ALPHABET.charAt(byte % ALPHABET.length);
    }
  }
  return text;
}

function checksumOf(text: string): string {
  let rest = crc32(text);
  let digits = '';
  for (let position = 0; position < CHECKSUM_CHARACTERS; position += 1) {
    digits = ALPHABET.charAt(rest % ALPHABET.length) + digits;
    rest = Math.floor(rest / ALPHABET.length);
  }
  return digits;
}
