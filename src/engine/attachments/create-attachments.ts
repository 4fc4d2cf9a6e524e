import type { Attachment } from '../../core/attachment.ts';
import type { AttachmentStore } from '../../core/ports/attachment-store.ts';
import type { BlobStore } from '../../core/ports/blob-store.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Extractor } from '../../core/ports/extractor.ts';
import type { IdSource } from '../../core/ports/ids.ts';
import type { Observer } from '../../core/ports/observer.ts';
import type { ThreadStore } from '../../core/ports/store.ts';
import { fileNotFound, threadNotFound } from '../../core/refusals.ts';
import type { WakeUps } from '../wake-ups.ts';
import { createAddFile } from './add-file.ts';
import type { Attachments } from './attachments.ts';
import type { Strays } from './strays.ts';
import { createUploadPlaces } from './upload-places.ts';

const PASSAGES_PER_STEP = 32;
const BETWEEN_PAGES = '\n\n';

interface AttachmentPorts {
  readonly store: AttachmentStore & Pick<ThreadStore, 'findThread'>;
  readonly blobs: BlobStore;
  readonly extractor: Extractor;
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly wakeUps: WakeUps;
  readonly strays: Strays;
  /** What all files of one user may take. */
  readonly userBytes: number;
}

export function createAttachments(ports: AttachmentPorts): Attachments {
  const { store, blobs, clock, wakeUps, strays } = ports;
  const takePlace = createUploadPlaces(ports);
  const addFile = createAddFile(ports);
  return {
    async admit(owner, ref) {
      const thread = known(await store.findThread(owner, ref), threadNotFound);
      return { thread, release: takePlace(owner) };
    },
    async add(input) {
      const added = await addFile(input);
      wakeUps.hint(input.thread.key);
      return added;
    },
    list: async (owner, ref, page) => known(await store.listAttachments(owner, ref, page), threadNotFound),
    find: async (owner, ref) => known(await store.findAttachment(owner, ref), fileNotFound),
    async open(owner, id) {
      const attachment = known(await store.findAttachment(owner, { id }), fileNotFound);
      return { attachment, content: known(await blobs.open(attachment.contentId), fileNotFound) };
    },
    text: (attachment) => textOf(store, attachment),
    async delete(owner, id) {
      const attachment = known(await store.removeAttachment({ owner, id, now: clock.now() }), fileNotFound);
      const thread = await store.findThread(owner, { id: attachment.threadId });
      if (thread) wakeUps.hint(thread.key);
      await strays.removeUnused();
      return attachment;
    },
  };
}

async function* textOf(store: Pick<AttachmentStore, 'readPassages'>, { contentId }: Attachment): AsyncGenerator<string> {
  let page = 0;
  for (let after = 0; ; ) {
    const passages = await store.readPassages(contentId, { after, limit: PASSAGES_PER_STEP });
    for (const passage of passages) {
      if (page !== 0 && passage.page !== page) yield BETWEEN_PAGES;
      page = passage.page;
      yield passage.text;
    }
    const last = passages.at(-1);
    if (last === undefined || passages.length < PASSAGES_PER_STEP) return;
    after = last.position;
  }
}

function known<T>(found: T | null, refuse: () => Error): T {
  if (found === null) throw refuse();
  return found;
}
