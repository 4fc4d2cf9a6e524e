import { withBoundedMarks } from './bounded-marks.ts';

const ACCENTS = /[\u0300-\u036f]+/g;

/** A text as its parts are compared: without case, accents and compatibility forms, in any script. */
export function foldText(text: string): string {
  const bare = withBoundedMarks(text).normalize('NFKD').replace(ACCENTS, '');
  // Upper case first, so that ß is found as ss; Greek has a second small sigma for ends of words.
  return bare.toUpperCase().toLowerCase().replaceAll('ς', 'σ').normalize('NFC');
}

/** What stands between white space, folded, each once. */
export function foldedWords(text: string): readonly string[] {
  return [...new Set(foldText(text).split(/\s+/))].filter((word) => word !== '');
}
