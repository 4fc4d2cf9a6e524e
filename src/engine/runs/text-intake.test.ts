import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTextIntake } from './text-intake.ts';

function take(deltas: readonly string[]): string {
  const intake = createTextIntake();
  return deltas.map((delta) => intake.push(delta)).join('') + intake.end();
}

const units = fc.array(fc.constantFrom('a', ' ', '\r', '\n', '\0', '\ud83d', '\ude00', 'é', '\u2028', '\ufeff'), { maxLength: 40 });

describe('text intake', () => {
  it('mends line endings, NUL and lone surrogates', () => {
    expect(take(['a\r\nb\rc\nd'])).toBe('a\nb\nc\nd');
    expect(take(['a\0b\ud83dc\ude00'])).toBe('a\ufffdb\ufffdc\ufffd');
  });

  it('joins what two deltas share', () => {
    expect(take(['a\r', '\nb'])).toBe('a\nb');
    expect(take(['\ud83d', '\ude00'])).toBe('😀');
    expect(take(['\ud83d', '', '\ude00'])).toBe('😀');
  });

  it('gives what waited at the end', () => {
    expect(take(['a\r'])).toBe('a\n');
    expect(take(['a\ud83d'])).toBe('a\ufffd');
  });

  it('holds back nothing but one code unit', () => {
    const intake = createTextIntake();
    expect(intake.push('a\r\r')).toBe('a\n');
    expect(intake.push('b')).toBe('\nb');
  });

  it('does not depend on where the text is cut', () => {
    fc.assert(
      fc.property(fc.array(units), (deltas) => {
        const texts = deltas.map((delta) => delta.join(''));
        const whole = take([texts.join('')]);
        expect(take(texts)).toBe(whole);
        expect(take([...texts.join('')].flatMap((piece) => piece.split('')))).toBe(whole);
        expect(whole.isWellFormed()).toBe(true);
        expect(/[\r\0]/.test(whole)).toBe(false);
      }),
    );
  });
});
