import { expect, test } from 'vitest';
import { createChunkReader, readChunks } from './chunk-reader.ts';

/** Reads a body in the given pieces, each from memory that is used again, as a connection does. */
function readAll(pieces: readonly Buffer[]): { data: string; end: string | null } {
  const reader = createChunkReader();
  const memory = Buffer.alloc(4096);
  const data: Buffer[] = [];
  for (const piece of pieces) {
    piece.copy(memory);
    const end = readChunks(reader, memory.subarray(0, piece.length), (bytes) => data.push(Buffer.from(bytes)));
    if (end !== null) return { data: Buffer.concat(data).toString(), end: end.toString() };
  }
  return { data: Buffer.concat(data).toString(), end: null };
}

const BODY = Buffer.from('5\r\nHello\r\nb;name="a\\"b"\r\n, W\r\n\r\n0\r\n\n\r\n0A\r\n0123456789\r\n0\r\nTrailer: yes\r\n\r\n');
const DATA = 'Hello, W\r\n\r\n0\r\n\n0123456789';

test('takes the data out of chunks, whatever it looks like, and stops at the last one', () => {
  expect(readAll([BODY])).toEqual({ data: DATA, end: '0\r\nTrailer: yes\r\n\r\n' });
});

test('a body may come in any two pieces, and byte by byte', () => {
  for (let at = 1; at < BODY.length; at += 1) {
    const { data, end } = readAll([BODY.subarray(0, at), BODY.subarray(at)]);
    expect({ at, data, end: end?.startsWith('0\r\n') }).toEqual({ at, data: DATA, end: true });
  }
  const { data, end } = readAll([...BODY].map((byte) => Buffer.from([byte])));
  expect([data, end]).toEqual([DATA, '0\r\n']);
});

test('what has no last chunk has no end', () => {
  expect(readAll([BODY.subarray(0, 12)])).toEqual({ data: 'Hello', end: null });
});

test.each([
  ['no size', 'Hello\r\n'],
  ['an empty line', '\r\n'],
  ['a sign', '+5\r\nHello\r\n'],
  ['a prefix', '0x5\r\nHello\r\n'],
  ['white space before the end of the line', '5 \r\nHello\r\n'],
  ['a line that ends with a line feed only', '5\nHello\r\n'],
  ['a size beyond all bounds', 'fffffffff\r\n'],
  ['a line that never ends', '5;'.padEnd(2000, 'x')],
  ['more data than announced', '5\r\nHello!\r\n'],
  ['no line end behind the data', '5\r\nHello0\r\n\r\n'],
])('refuses chunks with %s', (_, text) => {
  expect(() => readAll([Buffer.from(text)])).toThrow(/chunk/);
});
