import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createTokenCounter } from './token-counter.ts';

test('refuses to count before it is loaded', () => {
  expect(() => createTokenCounter().count('a')).toThrow('load()');
});

test('counts like the published vocabulary', async () => {
  const counter = createTokenCounter();
  await Promise.all([counter.load(), counter.load()]);
  expect(counter.count('')).toBe(0);
  expect(counter.count('hello world')).toBe(2);
  expect(counter.count('a'.repeat(200_000))).toBe(25_000);
});

test('takes special tokens for the ordinary text they are', async () => {
  const counter = createTokenCounter();
  await counter.load();
  expect(counter.count('<|endoftext|>')).toBeGreaterThan(1);
  expect(counter.count(`${'x '.repeat(500)}<|im_start|>`)).toBeGreaterThan(500);
});

test('never counts more tokens than UTF-8 bytes, and the same each time', async () => {
  const counter = createTokenCounter();
  await counter.load();
  const text = fc.string({
    unit: fc.oneof(fc.constantFrom('👋', 'ß', '漢', ' ', '\n', '<|', 'a'.repeat(999)), fc.string()),
    maxLength: 60,
  });
  fc.assert(
    fc.property(text, (sample) => {
      const count = counter.count(sample);
      expect(count).toBeLessThanOrEqual(Buffer.byteLength(sample));
      expect(counter.count(sample)).toBe(count);
    }),
    { numRuns: 200 },
  );
});

test('a surrogate pair at the end of a slice is not torn', async () => {
  const counter = createTokenCounter();
  await counter.load();
  const around = (before: number) => `${'a'.repeat(before)}👋${'a'.repeat(200)}`;
  expect(counter.count(around(999))).toBeLessThanOrEqual(Math.ceil(999 / 8) + 3 + Math.ceil(200 / 8) + 3);
});
