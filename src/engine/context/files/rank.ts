import { fold, isInWord } from './fold.ts';
import type { Term } from './question-terms.ts';

/** What of a passage its rank depends on. */
export interface Counted {
  /** Code units of the passage. */
  readonly length: number;
  /** For each term, how often it occurs. */
  readonly counts: readonly number[];
}

/** A word that only begins like the term is worth so much of the term itself. */
const STEM_WORTH = 0.6;
/** The usual constants of BM25 (Robertson and Zaragoza, 2009). */
const K1 = 1.2;
const B = 0.75;

/** How often each term occurs in a text. */
export function countTerms(text: string, terms: readonly Term[]): readonly number[] {
  const folded = fold(text);
  return terms.map((term) => countTerm(folded, term));
}

function countTerm(text: string, { text: whole, stem, spaceless }: Term): number {
  let count = 0;
  for (let at = text.indexOf(stem); at !== -1; at = text.indexOf(stem, at + stem.length)) {
    if (spaceless) count += 1;
    else if (!isInWord(text, at - 1)) count += worthAt(text, at, { whole, stem });
  }
  return count;
}

/** Of what begins with the stem: the word itself, another form of it, or something else. */
function worthAt(text: string, at: number, { whole, stem }: { readonly whole: string; readonly stem: string }): number {
  if (text.startsWith(whole, at) && !isInWord(text, at + whole.length)) return 1;
  return stem === whole ? 0 : STEM_WORTH;
}

/** The score of each passage by BM25: higher for words that few other passages have, and for short passages that have them often. 0: none. */
export function scoresOf(passages: readonly Counted[], terms: readonly Term[]): readonly number[] {
  const average = passages.reduce((sum, { length }) => sum + length, 0) / Math.max(1, passages.length);
  const worths = terms.map(({ weight }, index) => {
    const having = passages.filter(({ counts }) => (counts[index] ?? 0) > 0).length;
    return weight * Math.log(1 + (passages.length - having + 0.5) / (having + 0.5));
  });
  return passages.map(({ length, counts }) => {
    const damping = K1 * (1 - B + (B * length) / average);
    return counts.reduce((score, count, index) => score + ((worths[index] ?? 0) * count * (K1 + 1)) / (count + damping), 0);
  });
}
