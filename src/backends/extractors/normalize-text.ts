/** Line ends of every system: CR, VT, FF, NEL, and the two separators of Unicode. */
const LINE_ENDS = /\r\n?|[\v\f\u0085\u2028\u2029]/g;

/** Controls but tab and line feed, byte order marks, and what is no character (PDFium's sign for a hyphen that only breaks a word: U+FFFE). */
const UNWANTED = /[^\P{Cc}\t\n]|[\ufeff\ufffe\uffff]/gu;

/** A text as it is stored: NFC, lines ended by `\n`, without NUL, other controls and lone surrogates, no white space at its end. */
export function normalizeText(text: string): string {
  return text.replace(LINE_ENDS, '\n').replace(UNWANTED, '').toWellFormed().normalize('NFC').trimEnd();
}
