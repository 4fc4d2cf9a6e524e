import { describe, expect, it } from 'vitest';
import { titleFrom } from './title.ts';

describe('titleFrom', () => {
  it('takes the first five words', () => {
    expect(titleFrom('Tell me a story')).toBe('Tell me a story');
    expect(titleFrom('one two three four five')).toBe('one two three four five');
    expect(titleFrom('one two three four five six seven')).toBe('one two three four five...');
    expect(titleFrom('  one\n\ttwo  ')).toBe('one two');
  });

  it('is empty without words', () => {
    expect(titleFrom('')).toBe('');
    expect(titleFrom(' \n ')).toBe('');
  });

  it('has at most 255 code units and never half a character', () => {
    expect(titleFrom('x'.repeat(255))).toBe('x'.repeat(255));
    expect(titleFrom('x'.repeat(256))).toBe(`${'x'.repeat(252)}...`);
    const emoji = titleFrom(`a${'😀'.repeat(200)} b c d e f`);
    expect(emoji.isWellFormed()).toBe(true);
    expect(emoji.length).toBeLessThanOrEqual(255);
    expect(emoji.endsWith('😀...')).toBe(true);
  });
});
