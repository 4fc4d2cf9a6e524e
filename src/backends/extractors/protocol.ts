import type { DocumentType, ExtractionFailure } from '../../core/ports/extractor.ts';

/** How much of a document is read; what is beyond is left out. */
export interface ReadingBounds {
  readonly maxPages: number;
  /** UTF-16 code units of all pages together. */
  readonly maxCharacters: number;
  /** No further page is begun after this time. */
  readonly readingMs: number;
}

/** One document on its way to the process that reads it. */
export interface Job {
  /** An absolute path. */
  readonly file: string;
  readonly type: DocumentType;
  readonly bounds: ReadingBounds;
}

/** Asks a process that has waited whether it is still there; it answers that it is ready. */
export const PING = 'ping';

/** What the reading process says. Its words are checked: the document may have taken it over. */
export type Report =
  | { readonly kind: 'ready' }
  /** The next pages; with `unfinished` the last one goes on in the next report. */
  | { readonly kind: 'text'; readonly pages: readonly string[]; readonly unfinished: boolean }
  | { readonly kind: 'done'; readonly pageCount: number; readonly truncated: boolean; readonly reusable: boolean }
  | { readonly kind: 'refused'; readonly reason: ExtractionFailure }
  /** A defect of the program, not of the document. */
  | { readonly kind: 'broken'; readonly message: string };

const REASONS: readonly string[] = ['encrypted', 'damaged', 'too_complex', 'no_text'] satisfies readonly ExtractionFailure[];

function isReason(value: unknown): value is ExtractionFailure {
  return typeof value === 'string' && REASONS.includes(value);
}

function isPages(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((page) => typeof page === 'string');
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** A report out of what came over the channel; null when it is none. */
export function readReport(message: unknown): Report | null {
  if (typeof message !== 'object' || message === null) return null;
  const { kind, pages, unfinished, pageCount, truncated, reusable, reason, message: text } = message as Record<string, unknown>;
  if (kind === 'ready') return { kind };
  if (kind === 'text' && isPages(pages)) return { kind, pages, unfinished: unfinished === true };
  if (kind === 'done' && isCount(pageCount)) return { kind, pageCount, truncated: truncated === true, reusable: reusable === true };
  if (kind === 'refused' && isReason(reason)) return { kind, reason };
  if (kind === 'broken' && typeof text === 'string') return { kind, message: text.slice(0, 1000) };
  return null;
}
