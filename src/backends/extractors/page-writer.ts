import { ExtractionError } from '../../core/ports/extractor.ts';
import { normalizeText } from './normalize-text.ts';
import type { ReadingBounds, Report } from './protocol.ts';

/** Small enough that taking a report in does not hold the server up. */
const REPORT_CHARACTERS = 64 * 1024;

/** Takes a document's pages in order, as far as the bounds allow. */
export interface PageWriter {
  /** Whether another page would be taken. */
  readonly hasRoom: () => boolean;
  /** Characters that the next page may have. */
  readonly room: () => number;
  /** `incomplete`: the reader has left out the page's end. */
  add(page: string, incomplete?: boolean): void;
  /** Sends what is left and tells whether something was left out; throws when no page has a visible character. */
  finish(pageCount: number): boolean;
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}

/** The first `length` code units of a longer text, or one less where a pair would be cut. */
function cut(text: string, length: number): string {
  return text.slice(0, isHighSurrogate(text.charCodeAt(length - 1)) ? length - 1 : length);
}

/** Gathers pages into reports of a bounded size. */
function createBatch(send: (report: Report) => void) {
  let pages: string[] = [];
  let characters = 0;
  const flush = (unfinished: boolean): void => {
    if (pages.length > 0) send({ kind: 'text', pages, unfinished });
    pages = [];
    characters = 0;
  };
  return {
    flush: () => flush(false),
    add: (page: string): void => {
      let from = 0;
      for (; page.length - from > REPORT_CHARACTERS; from += REPORT_CHARACTERS) {
        pages.push(page.slice(from, from + REPORT_CHARACTERS));
        flush(true);
      }
      pages.push(page.slice(from));
      characters += page.length - from;
      if (characters >= REPORT_CHARACTERS) flush(false);
    },
  };
}

/** A writer whose pages go out as reports; time counts from now. */
export function createPageWriter(bounds: ReadingBounds, send: (report: Report) => void): PageWriter {
  const startedAt = performance.now();
  const batch = createBatch(send);
  let pages = 0;
  let room = bounds.maxCharacters;
  let shortened = false;
  let visible = false;
  return {
    hasRoom: () => pages < bounds.maxPages && room > 0 && performance.now() - startedAt < bounds.readingMs,
    room: () => room,
    add: (page, incomplete = false) => {
      const text = normalizeText(page);
      const kept = text.length > room ? cut(text, room).trimEnd() : text;
      shortened ||= incomplete || kept.length < text.length;
      visible ||= /\S/.test(kept);
      room = shortened ? 0 : room - kept.length;
      pages += 1;
      batch.add(kept);
    },
    finish: (pageCount) => {
      const truncated = shortened || pages < pageCount;
      if (!visible) throw new ExtractionError(truncated ? 'too_complex' : 'no_text');
      batch.flush();
      return truncated;
    },
  };
}
