import { describe, expect, test } from 'vitest';
import { searchWordsOf, wordsOf } from './search-words.ts';

/** Whether a store that has exactly the words of `text` finds it by `query`. */
function finds(query: string, text: string): boolean {
  const words = [...wordsOf(text)];
  const wanted = searchWordsOf(query);
  return wanted.length > 0 && wanted.every((want) => words.some((word) => (want.prefix ? word.startsWith(want.text) : word === want.text)));
}

describe('a text is found by', () => {
  test.each([
    ['hello', 'Hello, world!'],
    ['WORLD hello', 'Hello, world!'],
    ['hello wor', 'Hello, world!'],
    ['uber', 'Über den Wolken'],
    ['ÜBER', 'uber'],
    ['strasse', 'Die Straße'],
    ['STRAẞE', 'strasse'],
    ['οδος', 'ΟΔΟΣ'],
    ['ΟΔΟΣ', 'οδοσ'],
    ['istanbul', 'İSTANBUL'],
    ['cafe\u0301', 'café'],
    ['ﬁn', 'fin'],
    ['１２３', '123'],
    ['schiffahrt', 'Schiff\u00adahrt'],
    ['العربية', 'العَرَبِيَّة'],
    ['שלום', 'שָׁלוֹם'],
    ['й', 'и'],
    ['don t', "don't"],
    ['foo bar', 'foo_bar'],
    ['100%', 'is 100 percent'],
    ['c++', 'in C'],
    ['"AND" NEAR(x* -y', 'and near x y'],
    ['東京', '今日は東京都にいます'],
    ['東', '東京'],
    ['京', '東京'],
    ['東京都 iphone15', '東京都のiPhone15手机壳'],
    ['手机壳', 'iPhone15手机壳'],
    ['ラーメン', '美味しいラーメン屋'],
    ['ﾗｰﾒﾝ', 'ラーメン'],
    ['ガ', 'ガス'],
    ['서울', '서울에서 만나요'],
    ['ภาษาไทย', 'ฉันพูดภาษาไทยได้'],
    ['မြန်မာ', 'မြန်မာစာ'],
    ['𠮷野', '𠮷野家'],
    ['हिन्दी', 'मैं हिन्दी बोलता हूँ'],
    ['🦜', 'a parrot 🦜!'],
    ['👩‍💻', 'by 👩‍💻'],
  ])('%s: %s', (query, text) => expect(finds(query, text)).toBe(true));
});

describe('a text is not found by', () => {
  test.each([
    ['hell world', 'Hello, world!'],
    ['orld', 'Hello, world!'],
    ['h', 'Hello'],
    ['hello again', 'hello'],
    ['*', 'anything * at all'],
    ['   ', 'anything'],
    ['', ''],
    ['京都', '東京と都'],
    ['東京', '東と京'],
    ['🦜🦝', '🦜'],
  ])('%s: %s', (query, text) => expect(finds(query, text)).toBe(false));
});

test('words are bounded in length and number, and stay well formed', () => {
  const long = `${'x'.repeat(31)}𝒳𝒳`;
  expect([...wordsOf('𐐀'.repeat(40))]).toEqual(['𐐨'.repeat(16)]);
  expect([...wordsOf(long)].every((word) => word.isWellFormed() && word.length <= 32)).toBe(true);
  expect(finds(long, long)).toBe(true);
  expect(wordsOf(Array.from({ length: 20_000 }, (_, index) => `w${index}`).join(' ')).size).toBe(8_000);
  expect(wordsOf(`${'a '.repeat(100_000)} beyond`)).toEqual(new Set(['a']));
});

test('a query says each word once', () => {
  expect(searchWordsOf('one two one')).toEqual([
    { text: 'one', prefix: true },
    { text: 'two', prefix: false },
  ]);
});
