import { createRandom, type Random } from './random.ts';

/** What a question to the seeded model says; the answer is a function of it. */
export interface SeededQuestion {
  /** Decides the answer's text, together with `tokens`. */
  readonly seed: number;
  /** Pieces of text in the answer, or a few more. */
  readonly tokens: number;
  /** Pause before each write. */
  readonly delayMs: number;
  /** Pieces in one write. */
  readonly perWrite: number;
  /** Questions with the same name are watched for answers at the same time. */
  readonly thread?: string;
}

/** The user message that asks for it. */
export function questionText({ seed, tokens, delayMs, perWrite, thread }: SeededQuestion): string {
  return JSON.stringify({ seed, tokens, delayMs, perWrite, thread });
}

/** Reads a user message; throws when it is no question to the seeded model. */
export function parseQuestion(text: string): SeededQuestion {
  const value: unknown = JSON.parse(text);
  if (typeof value === 'object' && value !== null && 'seed' in value && typeof value.seed === 'number') return value as SeededQuestion;
  throw new Error(`No seeded question: ${text.slice(0, 100)}`);
}

type Pieces = readonly [string, ...string[]];

const WORDS: Pieces = [
  'the',
  ' river',
  ' and',
  ' a',
  'Ängste',
  ' naïve',
  ' x',
  '1',
  ' 2',
  ' 3',
  '.',
  ',',
  ' "quoted"',
  ' back\\slash',
  '</p>',
];
const SCRIPTS: Pieces = ['漢字', '、', 'こんにちは', '한국어 ', 'مرحبا', ' עברית', '😀', '👩‍👩‍👧', '🇩🇪', 'e\u0301', '\u3000'];
const SPACES: Pieces = [' ', '  ', '\t', '\n', '\n\n', ' \n ', '\r\n', '\r', '\u2028', '\u00a0', '\ufeff', '\u200b'];
const MARKUP: Pieces = [
  '[DONE]',
  ' [DONE] ',
  '\n[DONE]\n',
  'data: ',
  'data: [DONE]',
  '\n\ndata: {}\n\n',
  ': ping\n\n',
  'event: error\n',
  'id: 7\n',
  '{"a":1}',
];
/** Texts that a model's stream cuts inside a character or a line ending, and code units that mean nothing. */
const SPLIT: readonly [Pieces, ...Pieces[]] = [
  ['\ud83d', '\ude00'],
  ['a\ud83e', '\udd16b'],
  ['\r', '\n'],
  ['\ud83d', 'x'],
  ['\udc00'],
  ['\0'],
  ['[DO', 'NE]'],
  ['\n', '\n'],
];

function morsel(random: Random): Pieces {
  const die = random.integer(0, 99);
  if (die < 50) return [random.pick(WORDS)];
  if (die < 70) return [random.pick(SCRIPTS)];
  if (die < 83) return [random.pick(SPACES)];
  return die < 91 ? [random.pick(MARKUP)] : random.pick(SPLIT);
}

/** The pieces of an answer as the model sends them. */
export function answerPieces({ seed, tokens }: SeededQuestion): readonly string[] {
  const random = createRandom(seed);
  const pieces: string[] = [];
  while (pieces.length < tokens) pieces.push(...morsel(random));
  return pieces;
}

/** The whole answer as it stands in a run's log: line ends are line feeds, NUL and lone surrogates U+FFFD. */
export function expectedText(question: SeededQuestion): string {
  const text = answerPieces(question).join('');
  return text.replaceAll('\r\n', '\n').replaceAll('\r', '\n').replaceAll('\0', '\ufffd').toWellFormed();
}
