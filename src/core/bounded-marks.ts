/** Unicode's own bound for streams (UAX 15 section 13). */
const MARKS = 30;
const EXCESS_MARKS = new RegExp(`(\\p{M}{${MARKS}})\\p{M}+`, 'gu');

/** A text without the marks beyond 30 in a row: a normalizer takes time in the square of their number. */
export function withBoundedMarks(text: string): string {
  return text.replace(EXCESS_MARKS, '$1');
}
