import { MAX_FILE_BYTES, MAX_FILES_PER_THREAD, type Passage } from '../../core/attachment.ts';
import { type AppError, storeUnavailable } from '../../core/errors.ts';
import { cleanFileName } from '../../core/file-name.ts';
import type { AttachmentId, ContentId } from '../../core/ids.ts';
import type { AddAttachmentResult, AttachmentStore, NewContent } from '../../core/ports/attachment-store.ts';
import type { BlobStore, ReceivedFile } from '../../core/ports/blob-store.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { type DocumentType, type ExtractedText, ExtractionError, type Extractor } from '../../core/ports/extractor.ts';
import type { IdSource } from '../../core/ports/ids.ts';
import {
  filesFull,
  fileTooLarge,
  fileTypeUnsupported,
  fileUnreadable,
  repeatMismatch,
  threadFull,
  threadNotFound,
} from '../../core/refusals.ts';
import type { AddFile, Attachments } from './attachments.ts';
import { toPassages } from './passages.ts';
import type { Strays } from './strays.ts';

const ALL_TYPES: readonly DocumentType[] = ['pdf', 'docx', 'html', 'markdown', 'csv', 'text'];
/** Passages that are handed to the store at once: at most a quarter of a million characters. */
const PASSAGES_PER_STEP = 64;

interface AddPorts {
  readonly store: Pick<AttachmentStore, 'announceContent' | 'addPassages' | 'addAttachment'>;
  readonly blobs: Pick<BlobStore, 'receive' | 'keep'>;
  readonly extractor: Extractor;
  readonly ids: IdSource;
  readonly clock: Pick<Clock, 'now'>;
  readonly strays: Pick<Strays, 'removeOne'>;
  /** What all files of one user may take. */
  readonly userBytes: number;
}

/** What a received file turned out to be. */
interface ReadFile {
  readonly received: ReceivedFile;
  readonly type: DocumentType;
  readonly text: ExtractedText;
}

/** Makes what receives files, reads them, and adds them. */
export function createAddFile(ports: AddPorts): Attachments['add'] {
  return async (input) => {
    const received = await ports.blobs.receive(upTo(input.content, MAX_FILE_BYTES + 1), input.signal);
    try {
      const file = await read(ports, input, received);
      input.signal.throwIfAborted();
      input.check?.();
      return await keep(ports, input, file);
    } finally {
      await received.discard();
    }
  };
}

/** The first bytes, a little more than so many: what lies behind them is not asked for. */
async function* upTo(content: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const chunk of content) {
    yield chunk;
    left -= chunk.length;
    if (left <= 0) return;
  }
}

async function read({ extractor }: AddPorts, input: AddFile, received: ReceivedFile): Promise<ReadFile> {
  const { types = ALL_TYPES, owner, name, signal } = input;
  const file = received.path;
  const type = await extractor.detect({ file, name: cleanFileName(name) });
  if (type === null || !types.includes(type)) throw fileTypeUnsupported(types);
  if (received.size > MAX_FILE_BYTES) throw fileTooLarge();
  try {
    const text = await extractor.extract({ file, type, signal, owner: JSON.stringify([owner.applicationId, owner.userId]) });
    return { received, type, text };
  } catch (error) {
    throw error instanceof ExtractionError ? fileUnreadable(error) : error;
  }
}

/** Announced before anything of it is written anywhere, so that whatever happens meanwhile leaves nothing that is not found again. */
async function keep(ports: AddPorts, input: AddFile, file: ReadFile): ReturnType<Attachments['add']> {
  const { store, blobs, ids, clock, strays } = ports;
  const id = ids.uuid<ContentId>();
  await store.announceContent({ id, now: clock.now() });
  let kept = false;
  try {
    await blobs.keep(id, file.received);
    const content = await writeText(ports, id, file);
    const result = await addTo(ports, input, content);
    if (result.kind === 'refused') throw refusal(result.reason);
    kept = result.attachment.contentId === id;
    return { attachment: result.attachment, replayed: result.kind === 'replayed' };
  } finally {
    if (!kept) await strays.removeOne(id);
  }
}

async function writeText({ store }: AddPorts, id: ContentId, { received, type, text }: ReadFile): Promise<NewContent> {
  let characters = 0;
  let step: Passage[] = [];
  for (const passage of toPassages(text.pages)) {
    characters += passage.text.length;
    if (step.push(passage) < PASSAGES_PER_STEP) continue;
    await store.addPassages(id, step);
    step = [];
  }
  if (step.length > 0) await store.addPassages(id, step);
  const { digest, size } = received;
  return { id, digest, size, type, pageCount: text.pageCount, characters, truncated: text.truncated };
}

function addTo({ store, ids, clock, userBytes }: AddPorts, input: AddFile, content: NewContent): Promise<AddAttachmentResult> {
  const { owner, thread, repeat } = input;
  const name = cleanFileName(input.name);
  return store.addAttachment({
    owner,
    ref: { id: thread.id },
    now: clock.now(),
    attachment: { id: ids.uuid<AttachmentId>(), number: ids.number(), name },
    content,
    most: MAX_FILES_PER_THREAD,
    mostBytes: userBytes,
    idempotency: repeat ? { ...repeat, fingerprint: `${repeat.fingerprint} ${content.digest} ${name}` } : null,
  });
}

function refusal(reason: Extract<AddAttachmentResult, { readonly kind: 'refused' }>['reason']): AppError {
  switch (reason) {
    case 'thread_not_found':
      return threadNotFound();
    case 'too_many':
      return threadFull();
    case 'too_many_bytes':
      return filesFull();
    case 'idempotency_mismatch':
      return repeatMismatch();
    case 'content_gone':
      return storeUnavailable(new Error('A file took so long to be written that it was taken for left behind.'));
  }
}
