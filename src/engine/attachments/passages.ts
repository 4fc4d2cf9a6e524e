import type { Passage } from '../../core/attachment.ts';

/** UTF-16 code units of the longest passage: some pages are longer, and get several. */
export const MAX_PASSAGE = 4_000;
/** A passage is not cut shorter than this to end where a paragraph or a sentence does. */
const SHORTEST = MAX_PASSAGE / 2;

/** Where a text is cut best, the best places first; each matches what ends there. */
const ENDS = [/\n\s*\n/g, /\n/g, /[.!?。！？।؟]["'»”)\]]*(?:\s|$)|[。！？]/g, /\s/g] as const;

/** A document's pages in passages, without those in which there is nothing to read. The passages of a page make up all of its text. */
export function* toPassages(pages: readonly string[]): Generator<Passage> {
  let position = 0;
  for (const [index, page] of pages.entries()) {
    if (page.trim() === '') continue;
    for (const text of pieces(page)) {
      position += 1;
      yield { position, page: index + 1, text };
    }
  }
}

function* pieces(page: string): Generator<string> {
  let from = 0;
  while (page.length - from > MAX_PASSAGE) {
    const to = from + cutOf(page.slice(from, from + MAX_PASSAGE));
    yield page.slice(from, to);
    from = to;
  }
  yield page.slice(from);
}

function cutOf(window: string): number {
  for (const end of ENDS) {
    let cut = 0;
    for (const found of window.matchAll(end)) cut = found.index + found[0].length;
    if (cut >= SHORTEST) return cut;
  }
  const last = window.charCodeAt(window.length - 1);
  return last >= 0xd800 && last <= 0xdbff ? window.length - 1 : window.length;
}
