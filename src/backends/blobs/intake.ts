import { createHash } from 'node:crypto';
import { mkdir, open, readdir, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { v4 } from 'uuid';
import { storeUnavailable } from '../../core/errors.ts';
import type { BlobStore, ReceivedFile } from '../../core/ports/blob-store.ts';
import { isMissing, onDisk } from './disk-failure.ts';

/** Bytes of the disk that no file may take: without them conversations cannot be stored, nor anything be deleted. */
export const LEFT_FREE_BYTES = 100 * 1024 * 1024;

/** Where bytes lie that are just coming in. */
export interface Intake extends Pick<BlobStore, 'receive'> {
  /** Rejects with `overloaded` when there is no room for files any more. */
  checkRoom(): Promise<void>;
  /** Removes files that were last written before a time (milliseconds since 1970), but none that this process is receiving. */
  removeOlder(than: number): Promise<void>;
}

/** An intake in a folder of its own, which is made with the first file; only this user can read what lies there. */
export function createIntake(folder: string, leftFreeBytes: number): Intake {
  const inUse = new Set<string>();

  async function checkRoom(): Promise<void> {
    const { bavail, bsize } = await onDisk(() => statfs(folder));
    if (bavail * bsize < leftFreeBytes)
      throw storeUnavailable(Object.assign(new Error('The disk is too full to take files.'), { code: 'ENOSPC' }));
  }

  async function receive(source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<ReceivedFile> {
    await onDisk(() => mkdir(folder, { recursive: true, mode: 0o700 }));
    await checkRoom();
    const name = v4();
    const path = join(folder, name);
    const discard = async () => {
      await onDisk(() => rm(path, { force: true }));
      inUse.delete(name);
    };
    inUse.add(name);
    try {
      return { path, ...(await onDisk(() => write(path, source, signal))), discard };
    } catch (error) {
      await discard();
      signal.throwIfAborted();
      throw error;
    }
  }

  return {
    receive,
    checkRoom,
    async removeOlder(than) {
      for (const name of await namesIn(folder)) {
        if (inUse.has(name)) continue;
        const path = join(folder, name);
        const found = await unlessMissing(stat(path));
        if (found !== null && found.mtimeMs < than) await rm(path, { recursive: true, force: true });
      }
    },
  };
}

async function write(path: string, source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<{ size: number; digest: string }> {
  const hash = createHash('sha256');
  let size = 0;
  const handle = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of source) {
      signal.throwIfAborted();
      hash.update(chunk);
      size += chunk.length;
      await handle.writeFile(chunk);
    }
    signal.throwIfAborted();
  } finally {
    await handle.close();
  }
  return { size, digest: hash.digest('hex') };
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return (await unlessMissing(readdir(folder))) ?? [];
}

async function unlessMissing<T>(looking: Promise<T>): Promise<T | null> {
  try {
    return await looking;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}
