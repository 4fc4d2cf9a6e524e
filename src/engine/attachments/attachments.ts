import type { Attachment, AttachmentRef } from '../../core/attachment.ts';
import type { AttachmentId } from '../../core/ids.ts';
import type { DocumentType } from '../../core/ports/extractor.ts';
import type { Idempotency } from '../../core/ports/idempotency.ts';
import type { Caller, Owner } from '../../core/principal.ts';
import type { Thread, ThreadRef } from '../../core/thread.ts';

/** A file that comes in. */
export interface AddFile {
  readonly owner: Caller;
  /** As `admit` gave it. */
  readonly thread: Thread;
  /** As its sender calls it. */
  readonly name: string;
  /** Its bytes. Is read no further than a little behind the largest size; must end when the signal aborts. */
  readonly content: AsyncIterable<Uint8Array>;
  /** The types that may be added; all of them unless given. */
  readonly types?: readonly DocumentType[];
  readonly repeat?: Idempotency | null;
  /** Aborts when nobody waits for the answer any more: nothing is added then. */
  readonly signal: AbortSignal;
  /** Throws when the sender may no longer add anything; called when all of the file is there. */
  readonly check?: () => void;
}

/** What a door can ask for about files. Records of somebody else are `file_not_found`, or `thread_not_found`. */
export interface Attachments {
  /**
   * Lets one more file come in until `release` is called. Rejects with `thread_not_found`, `too_many_uploads`, or `overloaded` when too many
   * come in at once.
   */
  admit(owner: Caller, thread: ThreadRef): Promise<{ readonly thread: Thread; release(): void }>;
  /**
   * Reads a file and its text and adds it to its thread. Checks in this order: its type (`file_type_unsupported`), its size (`file_too_large`),
   * its text (`file_unreadable`). Rejects also with `idempotency_mismatch`, `state_conflict` when the thread is full, `overloaded`, what `check`
   * throws, and what ends the bytes early; nothing is left of it then.
   */
  add(file: AddFile): Promise<{ readonly attachment: Attachment; readonly replayed: boolean }>;
  /** Newest first, behind the file `after`. */
  list(
    owner: Owner,
    thread: ThreadRef,
    page: { readonly limit: number; readonly after: AttachmentId | null },
  ): Promise<readonly Attachment[]>;
  find(owner: Owner, ref: AttachmentRef): Promise<Attachment>;
  /** The bytes as they came. */
  open(owner: Owner, id: AttachmentId): Promise<{ readonly attachment: Attachment; readonly content: AsyncIterable<Uint8Array> }>;
  /** The text of a file that the caller may see, in pieces that are small enough to be handled at once; pages are apart by a blank line. */
  text(attachment: Attachment): AsyncIterable<string>;
  /** Removes the file with its text and bytes, unless another file of the owner has the same. */
  delete(owner: Owner, id: AttachmentId): Promise<Attachment>;
}
