import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { hasKeyForm, keyMaker } from './api-key.ts';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

test('a key is a prefix, 32 random characters and a checksum of both', () => {
  for (let round = 0; round < 200; round += 1) {
    const { secret, digest, hint } = keyMaker.make();
    expect(secret).toMatch(/^plg_[0-9A-Za-z]{38}$/);
    const checksum = [...secret.slice(-6)].reduce((sum, digit) => sum * 62 + ALPHABET.indexOf(digit), 0);
    expect(checksum).toBe(crc32(secret.slice(0, -6)));
    expect(digest).toBe(createHash('sha256').update(secret).digest('hex'));
    expect(secret.endsWith(hint)).toBe(true);
    expect(hint).toHaveLength(4);
    expect(hasKeyForm(secret)).toBe(true);
  }
});

test('every character is as likely as every other', () => {
  const counts = new Map<string, number>();
  for (let round = 0; round < 4_000; round += 1) {
    for (const character of keyMaker.make().secret.slice(4, 36)) counts.set(character, (counts.get(character) ?? 0) + 1);
  }
  const mean = (4_000 * 32) / 62;
  expect(counts.size).toBe(62);
  // Seven standard deviations; a modulus without rejection would make eight characters likelier by a quarter.
  for (const count of counts.values()) expect(Math.abs(count - mean)).toBeLessThan(7 * Math.sqrt(mean));
});

test('no change of one character keeps the form of a key', () => {
  const { secret } = keyMaker.make();
  for (let index = 4; index < secret.length; index += 1) {
    for (const character of `${ALPHABET}-_ `) {
      if (character === secret.charAt(index)) continue;
      expect(hasKeyForm(secret.slice(0, index) + character + secret.slice(index + 1))).toBe(false);
    }
  }
  for (const near of ['', 'plg_', secret.slice(1), ` ${secret}`, `${secret}\n`, `${secret}0`, secret.slice(0, -1)]) {
    expect(hasKeyForm(near)).toBe(false);
  }
});
