import { expect, test } from 'vitest';
import { foldedWords, foldText } from './folded-text.ts';

test.each([
  ['STRASSE', 'Straße'],
  ['ÉCOLE', 'e\u0301cole'],
  ['ΟΔΌΣ', 'οδος'],
  ['İzmir', 'izmir'],
  ['ﬁle', 'FILE'],
  ['ＡＢＣ', 'abc'],
  ['ЁЛКА', 'ёлка'],
  ['한국어', '한국어'.normalize('NFD')],
])('%s and %s are the same', (left, right) => {
  expect(foldText(left)).toBe(foldText(right));
});

test.each([
  ['か', 'が'],
  ['कि', 'की'],
  ['a', 'ä b'],
])('%s and %s are not', (left, right) => {
  expect(foldText(left)).not.toBe(foldText(right));
});

test('words are what stands between white space, each once', () => {
  expect(foldedWords(' Ärger\u00a0und\n ÄRGER%_ "AND" ')).toEqual(['arger', 'und', 'arger%_', '"and"']);
  expect(foldedWords(' \t\n')).toEqual([]);
});

test('a text that is all marks is as short as it is quick to compare', () => {
  // Without a bound this takes minutes.
  const marks = `a${'\u05b0\u3099'.repeat(500_000)}b`;
  expect(foldText(marks)).toHaveLength(32);
});
