import { fold, SPACELESS } from './fold.ts';

/** A word that a question asks about, folded, and how much it counts. */
export interface Term {
  readonly text: string;
  /** What words of the same stem begin with; shorter than `text` or the same. */
  readonly stem: string;
  /** Whether it may stand within a run of other characters, as words of scripts without spaces do. */
  readonly spaceless: boolean;
  readonly weight: number;
}

const MOST_TERMS = 32;
const LONGEST_QUESTION = 8_000;
/** Of a word that an earlier question had: what a short one goes on about. */
const EARLIER_WEIGHT = 0.3;
/** Shorter words have no stem of their own. */
const SHORTEST_STEMMED = 5;

const segmenter = new Intl.Segmenter(undefined, { granularity: 'word' });

/** The words of a question and, counting less, of the ones before it, newest first; in any language. */
export function termsOf(question: string, earlier: readonly string[] = []): readonly Term[] {
  const terms = new Map<string, Term>();
  addWords(terms, question, 1);
  for (const text of earlier) addWords(terms, text, EARLIER_WEIGHT);
  return [...terms.values()];
}

function addWords(terms: Map<string, Term>, text: string, weight: number): void {
  for (const { segment, isWordLike } of segmenter.segment(fold(text.slice(0, LONGEST_QUESTION)))) {
    if (terms.size >= MOST_TERMS) return;
    if (isWordLike && !terms.has(segment)) terms.set(segment, { ...formsOf(segment), weight });
  }
}

/** Endings are a matter of the language; that they are at a word's end is common to those that have any. */
function formsOf(text: string): Omit<Term, 'weight'> {
  const spaceless = SPACELESS.test(text);
  if (spaceless || text.length < SHORTEST_STEMMED || /\d/.test(text)) return { text, stem: text, spaceless };
  return { text, stem: text.slice(0, -1 - Number(text.length > SHORTEST_STEMMED + 1)), spaceless };
}
