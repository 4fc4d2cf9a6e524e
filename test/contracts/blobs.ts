import { createHash } from 'node:crypto';
import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { v7 } from 'uuid';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ContentId } from '../../src/core/ids.ts';
import type { BlobStore } from '../../src/core/ports/blob-store.ts';

/** An open, empty place for bytes. */
export interface OpenedBlobs {
  readonly blobs: BlobStore;
  /** Closes it and removes what it kept. */
  remove(): Promise<void>;
}

const never = new AbortController().signal;
const newId = () => v7() as ContentId;

async function* chunks(...parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

/** All of it as one piece; null for nothing. */
export async function bytesOf(opened: AsyncIterable<Uint8Array> | null): Promise<Buffer | null> {
  if (opened === null) return null;
  const parts: Uint8Array[] = [];
  for await (const part of opened) parts.push(part);
  return Buffer.concat(parts);
}

/** What every place for bytes keeps to. */
export function blobContract(name: string, open: () => Promise<OpenedBlobs>): void {
  describe(`${name} keeps the contract of a place for bytes:`, () => {
    let opened: OpenedBlobs;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.remove());

    const keepText = async (text: string) => {
      const id = newId();
      await opened.blobs.keep(id, await opened.blobs.receive(chunks(Buffer.from(text)), never));
      return id;
    };

    test('receives into a file of its own that nobody else can read, and measures it', async () => {
      const received = await opened.blobs.receive(chunks(Buffer.from('one '), Buffer.from('two')), never);
      expect(await readFile(received.path, 'utf8')).toBe('one two');
      expect(received).toMatchObject({ size: 7, digest: createHash('sha256').update('one two').digest('hex') });
      expect((await stat(received.path)).mode & 0o777).toBe(0o600);
      expect((await stat(dirname(received.path))).mode & 0o777).toBe(0o700);
      await received.discard();
      expect(await readdir(dirname(received.path))).toEqual([]);
    });

    test.each([0, 1, 262_143, 262_144, 262_145, 3_000_000])('gives %i bytes back as they came, again and again', async (size) => {
      const bytes = Buffer.from(Array.from({ length: size }, (_, at) => (at * 31 + (at >> 8)) % 256));
      const id = newId();
      const received = await opened.blobs.receive(chunks(bytes.subarray(0, 70_000), bytes.subarray(70_000)), never);
      await opened.blobs.keep(id, received);
      await received.discard();
      expect((await bytesOf(await opened.blobs.open(id)))?.equals(bytes)).toBe(true);
      expect((await bytesOf(await opened.blobs.open(id)))?.equals(bytes)).toBe(true);
    });

    test('gives what is under one id under no other, and removes it alone', async () => {
      const [one, two] = [await keepText('one'), await keepText('two')];
      expect(await opened.blobs.open(newId())).toBeNull();
      await opened.blobs.remove(one);
      await opened.blobs.remove(one);
      expect(await opened.blobs.open(one)).toBeNull();
      expect(String(await bytesOf(await opened.blobs.open(two)))).toBe('two');
    });

    test('leaves nothing of what does not come to its end', async () => {
      const place = dirname((await opened.blobs.receive(chunks(), never)).path);
      const before = await readdir(place);
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('half');
        throw new Error('cut');
      }
      await expect(opened.blobs.receive(broken(), never)).rejects.toThrow('cut');
      const stop = new AbortController();
      async function* given(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('half');
        stop.abort(new Error('enough'));
        throw new Error('closed');
      }
      await expect(opened.blobs.receive(given(), stop.signal)).rejects.toThrow('enough');
      await expect(opened.blobs.receive(chunks(Buffer.from('x')), stop.signal)).rejects.toThrow('enough');
      expect(await readdir(place)).toEqual(before);
    });

    test('a download that nobody reads to its end holds nothing up', async () => {
      const id = await keepText('x'.repeat(1_000_000));
      for (let time = 0; time < 8; time += 1) for await (const _chunk of (await opened.blobs.open(id)) ?? []) break;
      expect((await bytesOf(await opened.blobs.open(id)))?.length).toBe(1_000_000);
    });

    test('what is removed while it is read is given to its end, or breaks off with an error', async () => {
      const size = 2_000_000;
      const id = await keepText('x'.repeat(size));
      const reading = (await opened.blobs.open(id)) ?? chunks();
      let read = 0;
      const readAll = async () => {
        for await (const { length } of reading) {
          if (read === 0) await opened.blobs.remove(id);
          read += length;
        }
        return read;
      };
      expect([size, 'broken off']).toContain(await readAll().catch(() => 'broken off'));
    });

    test('removes what a crash has left, and nothing that is being received', async () => {
      const current = await opened.blobs.receive(chunks(Buffer.from('current')), never);
      const left = join(dirname(current.path), v7());
      await writeFile(left, 'left');
      await utimes(left, new Date(0), new Date(0));
      const kept = await keepText('kept');
      await opened.blobs.removeLeftovers();
      await expect(stat(left)).rejects.toThrow('ENOENT');
      expect(await readFile(current.path, 'utf8')).toBe('current');
      expect(String(await bytesOf(await opened.blobs.open(kept)))).toBe('kept');
    });
  });
}
