import { withBoundedMarks } from './bounded-marks.ts';

/** What a search looks for: a word, or what a word begins with. */
export interface SearchWord {
  readonly text: string;
  readonly prefix: boolean;
}

/** Code units of a text that are searched; 8,000 words of 32 units also fit the 1 MB that PostgreSQL gives one row's words. */
const LONGEST_TEXT = 200_000;
const MOST_WORDS = 8_000;
const LONGEST_WORD = 32;
/** Of a single letter every text has words that begin with it. */
const SHORTEST_PREFIX = 2;

const ASCII = /^[\0-\x7f]*$/;
/** Accents, vowel points, Arabic lengthening, soft hyphens and joiners: people leave them out, and it is the same word. */
const OPTIONAL =
  /[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u00ad\u200c\u200d]/g;
/** A word, or an emoji, which is one by itself. */
const RUN = /[\p{L}\p{M}\p{N}]+|\p{Extended_Pictographic}/gu;
const ASCII_RUN = /[a-z0-9]+/g;
/** Scripts whose words are not told apart by spaces, and Hangul, whose words carry their particles with them. */
const SPACELESS =
  /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Bopo}\p{scx=Hang}\p{scx=Yiii}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}\p{scx=Tibt}\p{scx=Lana}\p{scx=Talu}\p{scx=Bali}\p{scx=Java}]/u;
const SCRIPTS = new RegExp(`${SPACELESS.source}+|[^${SPACELESS.source.slice(1)}+`, 'gu');

interface Run {
  readonly text: string;
  readonly spaceless: boolean;
}

/**
 * The different words of a text as searches find them: without case, accents and punctuation. Scripts without spaces give every pair of
 * neighbouring characters, and their last one. Of a very long text what lies beyond 200,000 code units or 8,000 words is left out.
 */
export function wordsOf(text: string): ReadonlySet<string> {
  const words = new Set<string>();
  const plain = asciiWords(text.slice(0, LONGEST_TEXT));
  for (const word of plain ?? []) {
    words.add(cut(word));
    if (words.size >= MOST_WORDS) break;
  }
  if (plain !== null) return words;
  for (const run of runsOf(text)) {
    if (run.spaceless) addPairs(words, run.text);
    else words.add(cut(run.text));
    if (words.size >= MOST_WORDS) break;
  }
  return words;
}

/** What a text must have to be found by a query: all of its words, the last one perhaps unfinished. Empty when there is no word in the query. */
export function searchWordsOf(query: string): readonly SearchWord[] {
  const runs = runsOf(query);
  const words = new Map<string, boolean>();
  for (const [index, { text, spaceless }] of runs.entries()) {
    const isLast = index === runs.length - 1;
    if (!spaceless) words.set(cut(text), isLast && text.length >= SHORTEST_PREFIX && !isPictograph(text));
    else for (const word of wantedPairs(text)) words.set(word, [...word].length === 1);
  }
  return [...words].map(([text, prefix]) => ({ text, prefix }));
}

/** The words of a text in which no character needs more than to be lower case; null for any other. */
function asciiWords(text: string): readonly string[] | null {
  return ASCII.test(text) ? (text.toLowerCase().match(ASCII_RUN) ?? []) : null;
}

function runsOf(text: string): readonly Run[] {
  const head = text.slice(0, LONGEST_TEXT);
  const plain = asciiWords(head);
  if (plain !== null) return plain.map((run) => ({ text: run, spaceless: false }));
  const runs: Run[] = [];
  for (const run of fold(head).match(RUN) ?? []) {
    if (!SPACELESS.test(run)) runs.push({ text: run, spaceless: false });
    else for (const piece of run.match(SCRIPTS) ?? []) runs.push({ text: piece, spaceless: SPACELESS.test(piece) });
  }
  return runs;
}

/** Only through upper case does what lower case keeps apart come together, such as ß and ss. */
function fold(text: string): string {
  const plain = withBoundedMarks(text).normalize('NFKD').replace(OPTIONAL, '');
  return plain.toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ').normalize('NFKC');
}

/** Every character with the next one; the last one by itself. */
function addPairs(words: Set<string>, text: string): void {
  let before = '';
  for (const character of text) {
    if (before !== '') words.add(before + character);
    if (words.size >= MOST_WORDS) return;
    before = character;
  }
  words.add(before);
}

/** The last character is in a pair, unless it is the only one: then some pair begins with it. */
function wantedPairs(text: string): readonly string[] {
  const characters = [...text];
  return characters.length === 1 ? characters : characters.slice(1).map((character, index) => characters[index] + character);
}

function cut(word: string): string {
  if (word.length <= LONGEST_WORD) return word;
  const head = word.slice(0, LONGEST_WORD);
  return head.isWellFormed() ? head : head.slice(0, -1);
}

function isPictograph(text: string): boolean {
  return /^\p{Extended_Pictographic}$/u.test(text);
}
