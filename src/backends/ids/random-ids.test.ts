import { expect, test } from 'vitest';
import { parseUuid } from '../../core/ids.ts';
import { randomIds } from './random-ids.ts';

test('uuids are of version 7, canonical, and sort in the order they were made', () => {
  const ids = Array.from({ length: 1000 }, () => randomIds.uuid());
  for (const id of ids) {
    expect(parseUuid(id)).toBe(id);
    expect(id[14]).toBe('7');
  }
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(1000);
});

test('numbers are distinct safe positive integers that use the whole range', () => {
  const numbers = Array.from({ length: 10_000 }, () => randomIds.number());
  for (const number of numbers) expect(Number.isSafeInteger(number) && number > 0).toBe(true);
  expect(new Set(numbers).size).toBe(10_000);
  const upperHalf = numbers.filter((number) => number > 2 ** 52).length;
  expect(upperHalf).toBeGreaterThan(4500);
  expect(upperHalf).toBeLessThan(5500);
  const odd = numbers.filter((number) => number % 2 === 1).length;
  expect(odd).toBeGreaterThan(4500);
  expect(odd).toBeLessThan(5500);
});
