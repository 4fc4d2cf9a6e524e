import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutFalseEnds, isWhiteSpace } from './raw-text.ts';

/** What a client that replaces every `data: ` and strips (JavaScript and Python together) sees of a line. */
function cleaned(line: string): string {
  return line.replaceAll('data: ', '').replace(/^[\s\p{Cc}]+|[\s\p{Cc}]+$/gu, '');
}

describe('cutFalseEnds', () => {
  it.each([
    ['[DONE]', ['[', 'DONE]']],
    ['  [DONE]\u2003', ['  [', 'DONE]\u2003']],
    ['data: [DONE]', ['data: [', 'DONE]']],
    ['[DOdata: NE]', ['[', 'DOdata: NE]']],
    ['[data: DONE]', ['[', 'data: DONE]']],
    ['a\n[DONE]\nb', ['a\n[', 'DONE]\nb']],
    ['a\u2028[DONE]', ['a\u2028[', 'DONE]']],
    ['[DONE]\n[DONE]', ['[', 'DONE]\n[', 'DONE]']],
  ])('cuts %j', (chunk, pieces) => {
    expect(cutFalseEnds(chunk)).toEqual(pieces);
  });

  it.each(['', 'text', '[DONE', 'x[DONE]', '[done]', '[DONE] and', '[DOdadata: ta: NE]', '[DO\nNE]', '[[DONE]]', '[DO NE]'])(
    'leaves %j',
    (chunk) => {
      expect(cutFalseEnds(chunk)).toEqual([chunk]);
    },
  );

  it('leaves no false end and loses nothing', () => {
    const piece = fc.constantFrom('[', 'D', 'ONE', ']', 'DONE]', '[DONE]', 'data: ', ' ', '\n', '\u2028', '\x85', '\x1c', '\ufeff', 'x');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (parts) => {
        const chunk = parts.join('');
        const pieces = cutFalseEnds(chunk);
        expect(pieces.join('')).toBe(chunk);
        for (const text of pieces) {
          expect(text.split('\n').map(cleaned)).not.toContain('[DONE]');
          expect(text.split(/(?!\t)\p{Cc}|[\u2028\u2029]/u).map(cleaned)).not.toContain('[DONE]');
        }
        for (const text of pieces.slice(1)) expect(isWhiteSpace(text.charCodeAt(0))).toBe(false);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('isWhiteSpace', () => {
  it('holds for what JavaScript strips and the five more that Python strips', () => {
    const more = new Set([0x1c, 0x1d, 0x1e, 0x1f, 0x85]);
    for (let unit = 0; unit <= 0xffff; unit += 1) {
      expect(isWhiteSpace(unit)).toBe(more.has(unit) || String.fromCharCode(unit).trim() === '');
    }
  });
});
