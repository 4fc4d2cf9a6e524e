import type { ReadingBounds } from './protocol.ts';

/** Pages as they come in parts. */
export interface ReceivedText {
  /** False when that is more than was asked for. */
  add(parts: readonly string[], unfinished: boolean): boolean;
  pages(): readonly string[];
}

/** Joins pages of several reports, within the bounds that the sender should have kept. */
export function createReceivedText({ maxPages, maxCharacters }: ReadingBounds): ReceivedText {
  const pages: string[] = [];
  let beginning: string[] = [];
  let characters = 0;
  return {
    add: (parts, unfinished) => {
      for (const [index, part] of parts.entries()) {
        characters += part.length;
        beginning.push(part);
        if (unfinished && index === parts.length - 1) continue;
        pages.push(beginning.join(''));
        beginning = [];
      }
      return pages.length <= maxPages && characters <= maxCharacters;
    },
    pages: () => pages,
  };
}
