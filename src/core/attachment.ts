import type { AttachmentId, ContentId, ThreadId } from './ids.ts';
import type { DocumentType } from './ports/extractor.ts';

/** Bytes of the largest file that is taken. */
export const MAX_FILE_BYTES = 10 * 1024 * 1024;
/** Files that a thread may hold at a time. */
export const MAX_FILES_PER_THREAD = 100;

/** A file in a thread. */
export interface Attachment {
  readonly id: AttachmentId;
  /** A random positive integer below 2^53, for protocols whose ids are integers. */
  readonly number: number;
  readonly threadId: ThreadId;
  readonly threadNumber: number;
  /** What it was called where it came from, cleaned by `cleanFileName`; nothing but a text to show. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Told by its content. */
  readonly type: DocumentType;
  /** SHA-256 of its bytes, in hexadecimal digits. */
  readonly digest: string;
  readonly contentId: ContentId;
  /** Pages of the document; 1 for a type without pages. */
  readonly pageCount: number;
  /** UTF-16 code units of its text. */
  readonly characters: number;
  /** Whether text was left out because the document has more than is kept. */
  readonly truncated: boolean;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** The two public names of a file. */
export type AttachmentRef = { readonly id: AttachmentId } | { readonly number: number };

/** A piece of a document's text that is small enough to show by itself: a page, or a part of one. */
export interface Passage {
  /** Its place in the document, dense from 1. */
  readonly position: number;
  /** The page it is on, from 1. */
  readonly page: number;
  readonly text: string;
}

/** A passage that a model gets to answer from. */
export interface SourcePassage {
  /** What an answer calls it, in square brackets. Passages of one page have the same. */
  readonly label: string;
  readonly fileId: AttachmentId;
  /** Of the file. */
  readonly name: string;
  /** Null where a document has no pages. */
  readonly page: number | null;
  readonly text: string;
}

/** The media type (RFC 6838) of a type of document. */
export function mediaTypeOf(type: DocumentType): string {
  switch (type) {
    case 'pdf':
      return 'application/pdf';
    case 'docx':
      return 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
    case 'html':
      return 'text/html';
    case 'markdown':
      return 'text/markdown';
    case 'csv':
      return 'text/csv';
    case 'text':
      return 'text/plain';
  }
}

/** Whether a page number says where something stands in such a document. */
export function hasPages(type: DocumentType): boolean {
  return type === 'pdf';
}
