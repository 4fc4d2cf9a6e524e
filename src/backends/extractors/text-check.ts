import type { FileHandle } from 'node:fs/promises';
import { markedEncoding } from './byte-order-mark.ts';

const CHUNK_BYTES = 64 * 1024;

/** Control characters that texts have: tab, line feed, form feed, carriage return. */
const ALLOWED: readonly number[] = [0x09, 0x0a, 0x0c, 0x0d];

function isControl(code: number): boolean {
  return (code < 0x20 && !ALLOWED.includes(code)) || code === 0x7f;
}

function hasControlByte(bytes: Uint8Array): boolean {
  for (const byte of bytes) if ((byte < 0x20 || byte === 0x7f) && isControl(byte)) return true;
  return false;
}

/** Checks UTF-16 piece by piece; bytes that are no characters are no text. */
function wideCheck(encoding: 'utf-16le' | 'utf-16be'): (bytes: Uint8Array) => boolean {
  const decoder = new TextDecoder(encoding, { fatal: true });
  return (bytes) => {
    try {
      return !/[^\P{Cc}\t\n\f\r]/u.test(decoder.decode(bytes, { stream: true }));
    } catch (error) {
      if (error instanceof TypeError) return false;
      throw error;
    }
  };
}

/** Whether a whole file is text: UTF-16 with its mark, or bytes without controls, as every other encoding has them. Reads it in pieces. */
export async function isText(handle: FileHandle): Promise<boolean> {
  const buffer = Buffer.alloc(CHUNK_BYTES);
  let check: ((bytes: Uint8Array) => boolean) | null = null;
  for (let position = 0; ; ) {
    const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES, position);
    if (bytesRead === 0) return true;
    const bytes = buffer.subarray(0, bytesRead);
    check ??= checkFor(bytes);
    if (!check(bytes)) return false;
    position += bytesRead;
  }
}

function checkFor(bytes: Uint8Array): (bytes: Uint8Array) => boolean {
  const encoding = markedEncoding(bytes);
  return encoding === 'utf-16le' || encoding === 'utf-16be' ? wideCheck(encoding) : (piece) => !hasControlByte(piece);
}
