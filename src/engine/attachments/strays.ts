import type { ContentId } from '../../core/ids.ts';
import type { AttachmentStore } from '../../core/ports/attachment-store.ts';
import type { BlobStore } from '../../core/ports/blob-store.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Observer } from '../../core/ports/observer.ts';
import type { Store } from '../../core/ports/store.ts';

/** Longer than anybody takes from announcing a content to adding it. */
const WRITING_MS = 3_600_000;
const PER_STEP = 100;

interface StrayPorts {
  readonly store: Pick<AttachmentStore, 'strayContents' | 'forgetContents'> & Pick<Store, 'capabilities'>;
  readonly blobs: Pick<BlobStore, 'remove' | 'removeLeftovers'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly observer: Pick<Observer, 'faulted'>;
}

/** Removes contents that no file has. What cannot be removed now is reported and stays for the next time. */
export interface Strays {
  /** Those whose last file is gone. */
  removeUnused(): Promise<void>;
  /** This one, which was announced here and not added. */
  removeOne(id: ContentId): Promise<void>;
  /** All that is left over: at the start, before anything is added, also what an earlier process was writing. */
  sweep(options?: { readonly atStart: boolean }): Promise<void>;
}

export function createStrays({ store, blobs, clock, observer }: StrayPorts): Strays {
  async function remove(ids: readonly ContentId[]): Promise<number> {
    const removed: ContentId[] = [];
    for (const id of ids) {
      try {
        await blobs.remove(id);
        removed.push(id);
      } catch (error) {
        observer.faulted('files', error);
      }
    }
    if (removed.length > 0) await store.forgetContents(removed);
    return removed.length;
  }

  async function removeAnnounced(announcedBefore: number): Promise<void> {
    for (;;) {
      const ids = await store.strayContents({ announcedBefore, limit: PER_STEP });
      const removed = await remove(ids);
      if (ids.length < PER_STEP || removed === 0) return;
    }
  }

  async function reporting(work: Promise<unknown>): Promise<void> {
    await work.catch((error: unknown) => observer.faulted('files', error));
  }

  return {
    removeUnused: () => reporting(removeAnnounced(0)),
    removeOne: (id) => reporting(remove([id])),
    async sweep({ atStart } = { atStart: false }) {
      const alone = atStart && !store.capabilities.shared;
      await reporting(blobs.removeLeftovers());
      await reporting(removeAnnounced(alone ? Number.MAX_SAFE_INTEGER : clock.now() - WRITING_MS));
    },
  };
}
