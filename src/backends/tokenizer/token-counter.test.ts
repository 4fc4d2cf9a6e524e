import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createTokenCounter } from './token-counter.ts';

const NO_LIMIT = Number.POSITIVE_INFINITY;

test('refuses to count before it is loaded', async () => {
  await expect(createTokenCounter().count('a', NO_LIMIT)).rejects.toThrow('load()');
});

test('counts like the published vocabulary', async () => {
  const counter = createTokenCounter();
  await Promise.all([counter.load(), counter.load()]);
  expect(await counter.count('', NO_LIMIT)).toBe(0);
  expect(await counter.count('hello world', NO_LIMIT)).toBe(2);
  expect(await counter.count('a'.repeat(200_000), NO_LIMIT)).toBe(25_000);
});

test('takes special tokens for the ordinary text they are', async () => {
  const counter = createTokenCounter();
  await counter.load();
  expect(await counter.count('<|endoftext|>', NO_LIMIT)).toBeGreaterThan(1);
  expect(await counter.count(`${'x '.repeat(500)}<|im_start|>`, NO_LIMIT)).toBeGreaterThan(500);
});

test('never counts more tokens than UTF-8 bytes, and the same each time', async () => {
  const counter = createTokenCounter();
  await counter.load();
  const text = fc.string({
    unit: fc.oneof(fc.constantFrom('👋', 'ß', '漢', ' ', '\n', '<|', 'a'.repeat(999)), fc.string()),
    maxLength: 60,
  });
  await fc.assert(
    fc.asyncProperty(text, async (sample) => {
      const count = await counter.count(sample, NO_LIMIT);
      expect(count).toBeLessThanOrEqual(Buffer.byteLength(sample));
      expect(await counter.count(sample, NO_LIMIT)).toBe(count);
    }),
    { numRuns: 200 },
  );
});

test('a surrogate pair at the end of a slice is not torn', async () => {
  const counter = createTokenCounter();
  await counter.load();
  const around = (before: number) => `${'a'.repeat(before)}👋${'a'.repeat(200)}`;
  expect(await counter.count(around(999), NO_LIMIT)).toBeLessThanOrEqual(Math.ceil(999 / 8) + 3 + Math.ceil(200 / 8) + 3);
});

test('stops beyond its limit, and lets others run meanwhile', async () => {
  const counter = createTokenCounter();
  await counter.load();
  const characters = Array.from({ length: 300_000 }, (_, index) => String.fromCharCode(0x4e00 + ((index * 7919) % 20_000)));
  const chinese = characters.join('');
  const bounded = await counter.count(chinese, 100);
  expect(bounded).toBeGreaterThan(100);
  expect(bounded).toBeLessThan(5_000);
  let turns = 0;
  const other = setInterval(() => {
    turns += 1;
  }, 1);
  await Promise.all([1, 2, 3].map((copy) => counter.count(chinese + copy, NO_LIMIT)));
  clearInterval(other);
  expect(turns).toBeGreaterThan(10);
});
