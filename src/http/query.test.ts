import { describe, expect, it } from 'vitest';
import { createQueryReader } from './query.ts';
import { formatTime, parseTime } from './time.ts';

const range = { min: 1, max: 100, default: 20 };

describe('a query', () => {
  it('gives what is there, else the default', () => {
    const query = createQueryReader({ limit: '7', archived: 'true', model: 'm', tag: ['a', 'b'] });
    expect(query.integer('limit', range)).toBe(7);
    expect(query.integer('page', range)).toBe(20);
    expect(query.flag('archived')).toBe(true);
    expect(query.flag('constructor')).toBeNull();
    expect(query.text('model', 9)).toBe('m');
    expect(query.list('tag', 9)).toEqual(['a', 'b']);
    expect(query.list('none', 9)).toEqual([]);
  });

  it.each(['', ' 12 ', '1e1', '0x10', '-1', '+1', '012', '0', '101', '1.0', 'NaN', '٣', '9'.repeat(30)])(
    'knows that %j is no number',
    (limit) => {
      expect(() => createQueryReader({ limit }).integer('limit', range)).toThrow(
        expect.objectContaining({ code: 'validation_failed', fields: [expect.objectContaining({ path: ['limit'] })] }),
      );
    },
  );

  it('refuses repeated, long and broken values', () => {
    expect(() => createQueryReader({ limit: ['1', '2'] }).integer('limit', range)).toThrow(/once/);
    expect(() => createQueryReader({ model: 'mm' }).text('model', 1)).toThrow(/at most 1/);
    expect(() => createQueryReader({ model: 'a\0' }).text('model', 9)).toThrow(/not allowed/);
    expect(() => createQueryReader({ wait: '1' }).flag('wait')).toThrow(/true or false/);
  });
});

describe('a time', () => {
  it.each([
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['2024-01-01T10:00', '2024-01-01T10:00:00.000Z'],
    ['2024-01-01T10:00:01.123456', '2024-01-01T10:00:01.123Z'],
    ['2024-01-01t10:00:00z', '2024-01-01T10:00:00.000Z'],
    ['2024-01-01T10:00:00+02:00', '2024-01-01T08:00:00.000Z'],
    ['0001-01-01', '0001-01-01T00:00:00.000Z'],
  ])('reads %s', (text, expected) => {
    expect(formatTime(parseTime(text) ?? Number.NaN)).toBe(expected);
  });

  it.each([
    '2024-02-30',
    '2023-02-29',
    '2024-13-01',
    '0000-01-01',
    '275761-01-01',
    '2024-01-01T24:00:00',
    '2024-01-01T10:00:60',
    '2024-1-1',
    'now',
    '',
  ])('does not take %j', (text) => {
    expect(parseTime(text)).toBeNull();
  });

  it('may come with a plus that was not escaped', () => {
    expect(createQueryReader({ after: '2024-01-01T10:00:00 02:00' }).time('after')).toBe(Date.UTC(2024, 0, 1, 8));
  });
});
