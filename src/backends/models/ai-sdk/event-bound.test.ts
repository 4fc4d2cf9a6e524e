import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createEventBound } from './event-bound.ts';

const EVENT = 'x'.repeat(40);

test.each(['\n\n', '\r\n\r\n'])('events that end in %j never add up, wherever they are cut', (blank) => {
  const stream = Buffer.from(`data: ${EVENT}${blank}`.repeat(20));
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (sizes) => {
      const bound = createEventBound(60);
      for (let at = 0, turn = 0; at < stream.length; turn += 1) {
        const size = sizes[turn % sizes.length] ?? 1;
        expect(bound.exceeds(stream.subarray(at, at + size))).toBe(false);
        at += size;
      }
    }),
  );
});

test('one event is counted over all its pieces and lines', () => {
  const bound = createEventBound(100);
  expect(bound.exceeds(Buffer.from(`data: ${EVENT}\n`))).toBe(false);
  expect(bound.exceeds(Buffer.from(`data: ${EVENT}\n`))).toBe(false);
  expect(bound.exceeds(Buffer.from('data: much more'))).toBe(true);
  const late = createEventBound(100);
  expect(late.exceeds(Buffer.from(`data: a\n\n${'x'.repeat(90)}`))).toBe(false);
  expect(late.exceeds(Buffer.from('x'.repeat(20)))).toBe(true);
});
