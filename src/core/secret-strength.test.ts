import { expect, test } from 'vitest';
import { GUESSABLE_SECRETS } from '../../test/support/guessable-secrets.ts';
import { createRandom } from '../../test/support/random.ts';
import { secretWeakness } from './secret-strength.ts';

const HEX = '0123456789abcdef';
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const BASE62 = `${LETTERS.toUpperCase()}${LETTERS}0123456789`;

test('there are more than 200 different ones', () => expect(new Set(GUESSABLE_SECRETS).size).toBeGreaterThan(200));

test.each(GUESSABLE_SECRETS)('%s is refused', (secret) => expect(secretWeakness(secret)).not.toBeNull());

test('what a guessable one is written around does not help it', () => {
  for (const secret of GUESSABLE_SECRETS.filter(({ length }) => length >= 32)) {
    for (const written of [`${secret}!`, ` ${secret}`, secret + secret, `"${secret}"`])
      expect([written, secretWeakness(written)]).not.toEqual([written, null]);
  }
});

test.each([
  ['hexadecimal', HEX],
  ['hexadecimal in capitals', HEX.toUpperCase()],
  ['base62', BASE62],
  ['base64', `${BASE62}+/`],
  ['base64url', `${BASE62}-_`],
  ['lower case', LETTERS],
])('2,000 random ones in %s are taken', (_name, alphabet) => {
  const random = createRandom(alphabet.length);
  for (let round = 0; round < 2000; round += 1) {
    const secret = Array.from({ length: random.integer(32, 64) }, () => alphabet[random.integer(0, alphabet.length - 1)]).join('');
    expect([secret, secretWeakness(secret)]).toEqual([secret, null]);
  }
});

test('words before a random part take nothing from it', () => {
  expect(secretWeakness('polylogue-production-signing-key-3d7e0ab94c5f61827be09d4ca1536f8e')).toBeNull();
  expect(secretWeakness('polylogue-production-signing-key-3d7e0ab94c5f6182')).not.toBeNull();
});

test('a long one is judged quickly, by its beginning', () => {
  expect(secretWeakness('ab'.repeat(500_000))).not.toBeNull();
  expect(secretWeakness(`${'3d7e0ab94c5f61827be09d4ca1536f8e'}${'a'.repeat(500_000)}`)).toBeNull();
});
