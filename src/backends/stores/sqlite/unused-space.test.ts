import { expect, test } from 'vitest';
import { clearUnusedSpace } from './unused-space.ts';

/** A page whose bytes are all `x`, with a tree's header at `header` for two cells that begin at 4000. */
function page(type: number, header = 0): Buffer {
  const bytes = Buffer.alloc(4096, 'x');
  bytes.writeUInt8(type, header);
  bytes.writeUInt16BE(2, header + 3);
  bytes.writeUInt16BE(4000, header + 5);
  return bytes;
}

test.each([
  { name: 'a leaf of a table', type: 13, header: 0, start: 12 },
  { name: 'a leaf of an index', type: 10, header: 0, start: 12 },
  { name: 'an inner page of a table', type: 5, header: 0, start: 16 },
  { name: 'the first page of the file', type: 13, header: 100, start: 112 },
])('clears exactly what $name does not use', ({ type, header, start }) => {
  const before = page(type, header);
  const after = Buffer.from(before);
  expect(clearUnusedSpace(after, header > 0)).toBe(true);
  expect(after.subarray(0, start)).toEqual(before.subarray(0, start));
  expect(after.subarray(start, 4000)).toEqual(Buffer.alloc(4000 - start));
  expect(after.subarray(4000)).toEqual(before.subarray(4000));
  expect(clearUnusedSpace(after, header > 0)).toBe(false);
});

test('leaves pages alone that are no part of a tree, or whose header makes no sense', () => {
  const overflow = page(0);
  const broken = page(13);
  broken.writeUInt16BE(9999, 5);
  for (const bytes of [overflow, broken]) {
    const before = Buffer.from(bytes);
    expect(clearUnusedSpace(bytes, false)).toBe(false);
    expect(bytes).toEqual(before);
  }
});
