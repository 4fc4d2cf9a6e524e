import { COMMON_WORDS } from './guessable-words.ts';
import { pairBits } from './letter-pairs.ts';

/** A stretch of a text that a guesser can describe in few bits. */
export interface GuessablePart {
  readonly length: number;
  /** What has to be told to have it described. */
  readonly bits: number;
}

/** A text ready to be searched. */
export interface Searched {
  /** As it is written. */
  readonly text: string;
  /** In lower case. */
  readonly lower: string;
  /** In lower case, and digits and signs that stand for a letter taken as that letter. */
  readonly plain: string;
}

/** About the binary logarithm of the number of common words, and a bit for how they are written. */
const WORD_BITS = 11;
const LONGEST_WORD = Math.max(...[...COMMON_WORDS].map(({ length }) => length));
/** That letters read like English, and how many of them. */
const SPELLING_BITS = 8;
const SHORTEST_SPELLING = 5;
const LONGEST_SPELLING = 16;
/** Which direction in which row of keys, for one thread of a run. */
const ROW_BITS = 4;
const LENGTH_BITS = 4;
const SHORTEST_RUN = 4;
const MOST_THREADS = 4;

const STANDS_FOR: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
};

/** In these orders people run over an alphabet or a keyboard; each goes on from its end to its beginning. */
const ROWS = [
  '0123456789',
  '0123456789abcdef',
  'abcdefghijklmnopqrstuvwxyz',
  'qwertyuiopasdfghjklzxcvbnm',
  'qwertzuiopasdfghjklyxcvbnm',
  'azertyuiopqsdfghjklmwxcvbn',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p',
  '!@#$%^&*()_+',
];
const SUCCESSORS = ROWS.flatMap((row) => [successorsIn(row), successorsIn([...row].reverse().join(''))]);

/** Prepares a text for the search. */
export function searched(text: string): Searched {
  // Of one unit each, so that places stay the same.
  const lower = text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return { text, lower, plain: lower.replace(/[013457@$!]/g, (sign) => STANDS_FOR[sign] ?? sign) };
}

/** The guessable parts that begin at a place; `letterBits` is what one character of this text tells by itself. */
export function partsAt(given: Searched, at: number, letterBits: number): readonly GuessablePart[] {
  const separator = /[^a-z0-9]/.test(given.lower[at] ?? '') ? 1 : 0;
  const words = [...wordsAt(given, at + separator), ...spellingsAt(given, at + separator)];
  return [
    ...words.map(({ length, bits }) => ({ length: length + separator, bits: bits + 3 * separator })),
    ...runsAt(given, at, letterBits),
    ...copyAt(given, at),
  ];
}

function wordsAt({ text, lower, plain }: Searched, at: number): readonly GuessablePart[] {
  const found: GuessablePart[] = [];
  for (let length = 2; length <= LONGEST_WORD && at + length <= text.length; length += 1) {
    const end = at + length;
    const word = lower.slice(at, end);
    const isPlain = COMMON_WORDS.has(word);
    if (!isPlain && !COMMON_WORDS.has(plain.slice(at, end))) continue;
    found.push({ length, bits: WORD_BITS + writingBits(text.slice(at, end)) + (isPlain ? 0 : length / 2) });
  }
  return found;
}

/** What has to be told about capitals: nothing when there are none, or the first, or all; else where they are. */
function writingBits(text: string): number {
  const behind = text.slice(1).replace(/[^A-Za-z]/g, '');
  return behind === behind.toLowerCase() || text === text.toUpperCase() ? 0 : behind.length;
}

function spellingsAt({ text, plain }: Searched, at: number): readonly GuessablePart[] {
  const found: GuessablePart[] = [];
  let bits = SPELLING_BITS;
  for (let end = at; end < text.length && end - at < LONGEST_SPELLING; end += 1) {
    const letter = plain[end] ?? '';
    if (!/[a-z]/.test(letter)) break;
    bits += (end === at ? 4 : pairBits(plain[end - 1] ?? '', letter)) + (/[a-zA-Z]/.test(text[end] ?? '') ? 0 : 3);
    const length = end + 1 - at;
    if (length >= SHORTEST_SPELLING) found.push({ length, bits: bits + writingBits(text.slice(at, end + 1)) });
  }
  return found;
}

/** Runs such as `aaaa`, `4321` and `qwert`, also several that take turns, as in `a1b2c3` and `001122`. */
function runsAt({ text, lower }: Searched, at: number, letterBits: number): readonly GuessablePart[] {
  const found: GuessablePart[] = [];
  for (let threads = 1; threads <= MOST_THREADS; threads += 1) {
    const rows = Array.from({ length: threads }, (_, thread) => relationsAt(lower, at + thread, threads));
    let end = at + threads;
    while (end < text.length && stillFollows(rows, { lower, at, end, threads })) end += 1;
    const length = end - at;
    if (length < Math.max(SHORTEST_RUN, 2 * threads)) continue;
    found.push({ length, bits: threads * (letterBits + ROW_BITS) + LENGTH_BITS + writingBits(text.slice(at, end)) / threads });
  }
  return found;
}

type Relation = ReadonlyMap<string, string> | 'same';

/** How the second character of a thread may come from its first. */
function relationsAt(lower: string, at: number, threads: number): Set<Relation> {
  const [first = '', second = ''] = [lower[at], lower[at + threads]];
  return new Set<Relation>([...SUCCESSORS.filter((row) => row.get(first) === second), ...(first === second ? (['same'] as const) : [])]);
}

interface Step {
  readonly lower: string;
  readonly at: number;
  readonly end: number;
  readonly threads: number;
}

/** Whether the character at `end` goes on with its thread; ways in which it does not are out from then on. */
function stillFollows(rows: readonly Set<Relation>[], { lower, at, end, threads }: Step): boolean {
  const [before = '', now = ''] = [lower[end - threads], lower[end]];
  const relations = rows[(end - at) % threads] ?? new Set();
  const left = [...relations].filter((relation) => (relation === 'same' ? before === now : relation.get(before) === now));
  if (left.length === 0) return false;
  for (const relation of relations) if (!left.includes(relation)) relations.delete(relation);
  return true;
}

/** The longest stretch that has been there before. */
function copyAt({ text }: Searched, at: number): readonly GuessablePart[] {
  let longest = 0;
  for (let from = 0; from < at; from += 1) {
    let length = 0;
    while (at + length < text.length && text[from + length] === text[at + length]) length += 1;
    longest = Math.max(longest, length);
  }
  return longest < 3 ? [] : [{ length: longest, bits: 2 + 2 * Math.log2(text.length) }];
}

function successorsIn(row: string): ReadonlyMap<string, string> {
  return new Map([...row].map((key, index) => [key, row[(index + 1) % row.length] ?? key]));
}
