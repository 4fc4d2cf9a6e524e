import { describe, expect, test } from 'vitest';
import { fold } from './fold.ts';
import { mentionedPages } from './page-mentions.ts';
import { termsOf } from './question-terms.ts';

test.each([
  ['What does page 73 say?', [73]],
  ['see pp. 12-14 and p. 3', [12, 13, 14, 3]],
  ['the 21st page', [21]],
  ['Seite 5 bis 7', [5, 6, 7]],
  ['auf S. 9', [9]],
  ['à la page 44', [44]],
  ['página 8', [8]],
  ['на странице 31', [31]],
  ['σελίδα 6', [6]],
  ['第73页', [73]],
  ['73ページ', [73]],
  ['12쪽', [12]],
  ['pages 1-9999', Array.from({ length: 20 }, (_, index) => index + 1)],
  ['page 0', []],
  ['The package 73 and version 5', []],
  ['homepage 3', []],
  ["What's 4 plus 4, and today’s 5 best?", []],
])('%s names pages', (question, pages) => {
  expect(mentionedPages(fold(question))).toEqual(pages);
});

test('no question takes long to be looked through', () => {
  for (const text of [
    'page '.repeat(50_000),
    'p'.repeat(200_000),
    '1'.repeat(200_000),
    `page ${' '.repeat(200_000)}1`,
    '1 - '.repeat(50_000),
  ]) {
    const cpu = process.cpuUsage();
    mentionedPages(text);
    expect(process.cpuUsage(cpu).user).toBeLessThan(2_000_000);
  }
});

describe('the words of a question', () => {
  const words = (question: string, ...earlier: string[]) => termsOf(question, earlier).map(({ text }) => text);

  test.each([
    ["Where's the Café, please?", ["where's", 'the', 'cafe', 'please']],
    ['Straße und Größe', ['strasse', 'und', 'grosse']],
    ['где собака', ['где', 'собака']],
    ['अपना नाम', ['अपना', 'नाम']],
    ['?!… —', []],
  ])('%s', (question, expected) => {
    expect(words(question)).toEqual(expected);
  });

  test('come out of scripts without spaces too', () => {
    expect(words('龙井茶很有名').length).toBeGreaterThan(1);
    expect(termsOf('ภาษาไทย').every(({ spaceless }) => spaceless)).toBe(true);
  });

  test('of earlier questions count less, and of many only the first', () => {
    expect(termsOf('why', ['the boat']).map(({ text, weight }) => [text, weight])).toEqual([
      ['why', 1],
      ['the', 0.3],
      ['boat', 0.3],
    ]);
    expect(termsOf(Array.from({ length: 500 }, (_, index) => `word${index}`).join(' '))).toHaveLength(32);
  });
});
