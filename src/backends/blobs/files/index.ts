import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ContentId } from '../../../core/ids.ts';
import type { BlobStore, ReceivedFile } from '../../../core/ports/blob-store.ts';
import { isMissing, onDisk } from '../disk-failure.ts';
import { createIntake, LEFT_FREE_BYTES } from '../intake.ts';

const NAME = /^[0-9a-f-]{36}$/;

/**
 * Keeps bytes in files below a folder that belongs to this process alone. Folders and files are for this user only, and no name in it says what
 * a file was called or whose it is.
 */
export function openFileBlobs(folder: string, leftFreeBytes: number = LEFT_FREE_BYTES): BlobStore {
  const intake = createIntake(join(folder, 'incoming'), leftFreeBytes);
  return {
    receive: intake.receive,
    async keep(id, file) {
      // Many that came in together may have found room for one.
      await intake.checkRoom();
      await onDisk(() => keep(placeOf(folder, id), file));
    },
    open: (id) => onDisk(() => openFile(placeOf(folder, id))),
    remove: (id) => onDisk(() => remove(placeOf(folder, id))),
    // Nobody else receives here: whatever this process does not receive just now was left behind.
    removeLeftovers: () => onDisk(() => intake.removeOlder(Number.POSITIVE_INFINITY)),
    close: async () => undefined,
  };
}

/** By the end of the id, which is random where its beginning is a time. */
function placeOf(folder: string, id: ContentId): string {
  if (!NAME.test(id)) throw new Error('A content is called by a UUID.');
  return join(folder, id.slice(-2), id);
}

/** Synced before it has its name, and the name after that: a crash leaves all of it there or nothing. */
async function keep(place: string, { path }: ReceivedFile): Promise<void> {
  await sync(path);
  const folder = dirname(place);
  const isNew = (await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined;
  await rename(path, place);
  await sync(folder);
  if (isNew) await sync(dirname(folder));
}

async function remove(place: string): Promise<void> {
  try {
    await rm(place);
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  await sync(dirname(place));
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function openFile(place: string): Promise<AsyncIterable<Uint8Array> | null> {
  try {
    return (await open(place, 'r')).createReadStream();
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}
