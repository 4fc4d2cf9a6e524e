import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_PASSAGE, toPassages } from './passages.ts';

const passagesOf = (...pages: readonly string[]) => [...toPassages(pages)];

test('a page is a passage, with its number; an empty one is none', () => {
  expect(passagesOf('one', ' \n', 'three')).toEqual([
    { position: 1, page: 1, text: 'one' },
    { position: 2, page: 3, text: 'three' },
  ]);
  expect(passagesOf('', '\n\n')).toEqual([]);
});

test.each([
  ['paragraphs', `${'a'.repeat(2_500)}\n\n`, `${'b. c\nd '.repeat(300)}`],
  ['lines', `${'a. b '.repeat(500)}\n`, 'c '.repeat(1_000)],
  ['sentences', `${'a b'.repeat(900)}. `, 'c d'.repeat(700)],
  ['words', `${'a'.repeat(3_000)} `, 'b'.repeat(3_000)],
  ['sentences without spaces', `${'漢'.repeat(3_000)}。`, '字'.repeat(3_000)],
])('a long page is cut between %s', (_what, first, second) => {
  expect(passagesOf(first + second).map(({ text }) => text)).toEqual([first, second]);
});

test('no character is lost or halved, and none is too long, whatever the page', () => {
  const unit = fc.constantFrom('x', ' ', '\n', '\n\n', '. ', '👋', '字', '。', 'word ');
  fc.assert(
    fc.property(fc.array(unit, { minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 600 }), (units, times) => {
      const page = units.join('').repeat(times);
      const passages = passagesOf(page, 'last');
      const own = passages.filter((passage) => passage.page === 1);
      expect(own.map(({ text }) => text).join('')).toBe(page.trim() === '' ? '' : page);
      expect(passages.every(({ text }) => text.length <= MAX_PASSAGE && text.isWellFormed())).toBe(true);
      expect(passages.map(({ position }) => position)).toEqual(passages.map((_passage, index) => index + 1));
    }),
    { numRuns: 60 },
  );
});
