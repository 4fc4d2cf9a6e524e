import { expect, test } from 'vitest';
import { termsOf } from './question-terms.ts';
import { countTerms, scoresOf } from './rank.ts';

/** The texts in the order of their scores, those that match nothing left out. */
function ranked(question: string, texts: readonly string[]): readonly string[] {
  const terms = termsOf(question);
  const scores = scoresOf(
    texts.map((text) => ({ length: text.length, counts: countTerms(text, terms) })),
    terms,
  );
  const matching = texts.map((text, index) => ({ text, score: scores[index] ?? 0 })).filter(({ score }) => score > 0);
  return matching.sort((one, other) => other.score - one.score).map(({ text }) => text);
}

test('a rare word counts more than a common one', () => {
  const texts = ['the cat sat', 'the dog ran', 'the bird sang', 'the zebra slept'];
  expect(ranked('the zebra', texts)[0]).toBe('the zebra slept');
});

test('a short passage with a word comes before a long one with it', () => {
  const long = `boat ${'and other words '.repeat(50)}`;
  expect(ranked('boat', [long, 'a boat', 'nothing'])).toEqual(['a boat', long]);
});

test('case, accents and endings do not matter, the beginning of a word does', () => {
  expect(ranked('CONFIGURATIONS', ['the configuration', 'reconfigure it', 'other'])).toEqual(['the configuration']);
  expect(ranked('resume', ['my résumé', 'assume'])).toEqual(['my résumé']);
  expect(ranked('art', ['the art of it', 'start', 'artist'])).toEqual(['the art of it']);
});

test('the word itself comes before its other forms', () => {
  expect(ranked('passages', ['one passage here', 'some passages here'])).toEqual(['some passages here', 'one passage here']);
});

test('words of scripts without spaces are found within a run', () => {
  expect(ranked('龙井茶', ['杭州西湖的龙井茶很有名', '没有别的'])).toEqual(['杭州西湖的龙井茶很有名']);
});
