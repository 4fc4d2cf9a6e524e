import type { Attachment, AttachmentRef, Passage } from '../attachment.ts';
import type { AttachmentId, ContentId, ThreadKey } from '../ids.ts';
import type { Owner } from '../principal.ts';
import type { ThreadRef } from '../thread.ts';
import type { DocumentType } from './extractor.ts';
import type { Idempotency } from './idempotency.ts';

/** What was read out of a file. */
export interface NewContent {
  readonly id: ContentId;
  /** SHA-256 of the bytes, in hexadecimal digits. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  readonly type: DocumentType;
  readonly pageCount: number;
  readonly characters: number;
  readonly truncated: boolean;
}

export interface AddAttachment {
  readonly owner: Owner;
  readonly ref: ThreadRef;
  readonly now: number;
  readonly attachment: { readonly id: AttachmentId; readonly number: number; readonly name: string };
  /** Announced, with all of its passages there. */
  readonly content: NewContent;
  /** Files that the thread may hold, with this one; exact. */
  readonly most: number;
  /** Bytes that all contents of the owner may have, with this one; what is added at the same time may go beyond. */
  readonly mostBytes: number;
  readonly idempotency: Idempotency | null;
}

export type AddAttachmentResult =
  /** Its content is the owner's earlier one of the same bytes where there is one: the given one then stays stray. */
  | { readonly kind: 'added' | 'replayed'; readonly attachment: Attachment }
  | { readonly kind: 'refused'; readonly reason: 'thread_not_found' | 'too_many' | 'too_many_bytes' | 'idempotency_mismatch' }
  /** The content is no longer announced. */
  | { readonly kind: 'refused'; readonly reason: 'content_gone' };

/**
 * Files of threads and the text in them. Files of one owner with the same bytes share one content; those of different owners share nothing.
 * A content that no file has is stray, from its announcement on and again when its last file goes.
 */
export interface AttachmentStore {
  /** Makes a content stray that is about to be written somewhere, so that it is found after a crash. */
  announceContent(input: { id: ContentId; now: number }): Promise<void>;
  /** Passages of an announced content, in their order. */
  addPassages(id: ContentId, passages: readonly Passage[]): Promise<void>;
  addAttachment(input: AddAttachment): Promise<AddAttachmentResult>;
  findAttachment(owner: Owner, ref: AttachmentRef): Promise<Attachment | null>;
  /** Newest first, behind the file `after` (null: from the newest); null when the thread is unknown. */
  listAttachments(
    owner: Owner,
    ref: ThreadRef,
    page: { readonly limit: number; readonly after: AttachmentId | null },
  ): Promise<readonly Attachment[] | null>;
  /** Newest first. Whoever asks executes a run of the thread. */
  attachmentsOf(threadKey: ThreadKey): Promise<readonly Attachment[]>;
  /** Removes a file, and its text unless another file of the owner has it. Null when the owner has no such file. */
  removeAttachment(input: { owner: Owner; id: AttachmentId; now: number }): Promise<Attachment | null>;
  /** In order, behind the place `after` (0: from the beginning). Whoever asks has been allowed to see the file. */
  readPassages(id: ContentId, page: { readonly after: number; readonly limit: number }): Promise<readonly Passage[]>;
  /** Those at these places, in order. */
  findPassages(id: ContentId, positions: readonly number[]): Promise<readonly Passage[]>;
  /** Contents whose last file is gone, and those that were announced before `announcedBefore`. */
  strayContents(input: { announcedBefore: number; limit: number }): Promise<readonly ContentId[]>;
  /** Removes what is left of stray contents; those that a file has meanwhile stay. Tells whether there was any text left. */
  forgetContents(ids: readonly ContentId[]): Promise<boolean>;
}
