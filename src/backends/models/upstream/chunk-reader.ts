/** Where the reading of a body in chunks (RFC 9112 section 7.1) stands. One object with functions beside it: there is one for every answer. */
export interface ChunkReader {
  /** Bytes of the current chunk that are still to come. */
  data: number;
  /** Bytes of the line end behind it that are still to come. */
  lineEnd: number;
  /** The beginning of a line with a size, where a read has ended within one. */
  line: Buffer | null;
}

const MAX_SIZE_DIGITS = 8;
const MAX_LINE_BYTES = 1024;
const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;
const SEMICOLON = 0x3b;
const LINE_END_BYTES = 2;

/** Stands at the beginning of a body. */
export function createChunkReader(): ChunkReader {
  return { data: 0, lineEnd: 0, line: null };
}

/**
 * Reads on, and hands over what lies in chunks. Gives the bytes from the last chunk, which is empty, on, as soon as that begins; null before.
 * Throws when the bytes are no chunks.
 */
export function readChunks(reader: ChunkReader, given: Buffer, onData: (data: Buffer) => void): Buffer | null {
  const bytes = reader.line === null ? given : Buffer.concat([reader.line, given]);
  reader.line = null;
  let at = 0;
  while (at < bytes.length) {
    if (reader.data > 0) {
      const data = bytes.subarray(at, at + reader.data);
      onData(data);
      reader.data -= data.length;
      at += data.length;
    } else if (reader.lineEnd > 0) {
      takeLineEnd(reader, bytes[at]);
      at += 1;
    } else {
      const end = bytes.indexOf(LINE_FEED, at);
      if (end === -1) {
        keepLine(reader, bytes.subarray(at));
        return null;
      }
      const size = sizeIn(bytes, at, end);
      if (size === 0) return bytes.subarray(at);
      reader.data = size;
      reader.lineEnd = LINE_END_BYTES;
      at = end + 1;
    }
  }
  return null;
}

function takeLineEnd(reader: ChunkReader, byte: number | undefined): void {
  if (byte !== (reader.lineEnd === LINE_END_BYTES ? CARRIAGE_RETURN : LINE_FEED)) throw new Error('A chunk is longer than its size');
  reader.lineEnd -= 1;
}

function keepLine(reader: ChunkReader, line: Buffer): void {
  if (line.length > MAX_LINE_BYTES) throw new Error("The line with a chunk's size is too long");
  // A copy: whoever gave the bytes may read into the same memory again.
  reader.line = Buffer.from(line);
}

/** The size in a line that ends at `end`; extensions behind it are passed over. */
function sizeIn(bytes: Buffer, start: number, end: number): number {
  let size = 0;
  let at = start;
  for (let digit = hexDigit(bytes[at]); digit >= 0; digit = hexDigit(bytes[at])) {
    size = size * 16 + digit;
    at += 1;
  }
  const digits = at - start;
  const ends = bytes[end - 1] === CARRIAGE_RETURN && (at === end - 1 || bytes[at] === SEMICOLON);
  if (digits === 0 || digits > MAX_SIZE_DIGITS || !ends) throw new Error('A chunk has no size');
  return size;
}

function hexDigit(byte = 0): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
