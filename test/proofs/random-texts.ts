import type { Random } from '../support/random.ts';

type Pieces = readonly [string, ...string[]];

const lineBreaks: Pieces = [
  '\n',
  '\r',
  '\r\n',
  '\n\n',
  '\r\r',
  '\r\n\r\n',
  '\n\r',
  '\u2028',
  '\u2029',
  '\x85',
  '\v',
  '\f',
  '\x1c',
  '\x1d',
  '\x1e',
];
const halves: Pieces = ['\ud83d', '\ude00', '\ud800', '\udfff', '\udbff'];
const spaces: Pieces = [' ', '  ', '\t', '\u00a0', '\u3000', '\u1680', '\u180e', '\u2003', '\u200b', '\ufeff', '\x1f'];
const ends: Pieces = [
  '[DONE]',
  ' [DONE] ',
  '[DONE]\n',
  '\n[DONE]',
  '\n\n[DONE]\n\n',
  'data: [DONE]',
  'data: data: [DONE]',
  '[',
  'DONE]',
  '[DO',
  'NE]',
  '"[DONE]"',
];
const fields: Pieces = [
  'data: ',
  'data:',
  'data',
  '\ndata: x\n\n',
  '\n\nevent: done\ndata: x\n\n',
  'event: error\n',
  'event:',
  'id: 9\n',
  '\nid: \0\n',
  'retry: 1\n',
  ': ping\n\n',
  ':',
];
const json: Pieces = [
  '{"type":"complete","data":{"reply":"x"}}',
  '"',
  '\\',
  '\\n',
  '\\u0000',
  '</script>',
  '{',
  '}',
  '\x7f',
  '\0',
  '\x1b[0m',
  '\b',
];
const words: Pieces = [
  'a',
  'Hello',
  ' world',
  '1 2 3 4',
  '日本語のテキスト',
  '你好世界',
  'é',
  'ß',
  '👋',
  '👨‍👩‍👧',
  '🇵🇹',
  'ﷺ',
  'مرحبا',
  '\u202e',
  '\ufffd',
  '\uffff',
  '.',
  ', ',
];
const groups: readonly [Pieces, ...Pieces[]] = [lineBreaks, halves, spaces, ends, fields, json, words, words];

/** True once in `times`. */
export function oneIn(times: number, random: Random): boolean {
  return random.integer(1, times) === 1;
}

const LONG_UNITS = 100_000;

/** A text as a model might send it to break a stream: line breaks, halves of characters, SSE fields, false ends; once in 1,000 it is long. */
export function hostileText(random: Random): string {
  let text = '';
  for (let pieces = random.integer(0, 13); pieces > 0; pieces -= 1) text += random.pick(random.pick(groups));
  if (!oneIn(1_000, random)) return text;
  const filler = oneIn(2, random) ? random.pick(random.pick(groups)) : `${text} ` || 'x';
  return text + filler.repeat(Math.ceil(LONG_UNITS / filler.length)) + text;
}

/** Cuts a text anywhere, also inside a surrogate pair or `\r\n`, into up to a dozen deltas; empty ones may be among them. */
export function randomCuts(text: string, random: Random): string[] {
  const cuts = Array.from({ length: random.integer(0, 11) }, () => random.integer(0, text.length)).sort((left, right) => left - right);
  const deltas: string[] = [];
  let from = 0;
  for (const cut of [...cuts, text.length]) {
    deltas.push(text.slice(from, cut));
    from = cut;
  }
  return deltas;
}
