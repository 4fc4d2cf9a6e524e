import { expect, test } from 'vitest';
import { renderPrompt } from './render.ts';

test('a placeholder is replaced by its variable, literally and once', () => {
  const variables = { a: '{b}', b: 'B', '$&': 'D', n: 7, yes: true };
  expect(renderPrompt('{a} {b} {a}', variables)).toBe('{b} B {b}');
  expect(renderPrompt('{n}{yes} {$&}', variables)).toBe('7true D');
  expect(renderPrompt('{b}', { b: '$& $1 $`' })).toBe('$& $1 $`');
  expect(renderPrompt('{{b}} {b', variables)).toBe('{B} {b');
});

test('an unknown placeholder stays, whatever it is called', () => {
  const text = '{x} {} {a.b} { b } {constructor} {__proto__} {toString} {hasOwnProperty} {"a": 1}';
  expect(renderPrompt(text, { b: 'B', a: 'A' })).toBe(text);
  expect(renderPrompt('{constructor} {a.b} { b }', { constructor: 'C', 'a.b': 'D', ' b ': 'E' })).toBe('C D E');
});

test('only what variables themselves have is filled in', () => {
  expect(renderPrompt('{a}{b}', Object.assign(Object.create({ a: 'inherited' }), { b: 'B' }))).toBe('{a}B');
  const metadata = { variables: Object.create({ a: { default: 'A' } }), b: 'B' };
  expect(renderPrompt('{a}', {}, metadata)).toBe('{a}');
});

test('a default stands where no variable is given, and only what is one', () => {
  const metadata = {
    variables: { a: { default: 'A' }, n: { default: 2 }, empty: { description: 'x' }, bad: { default: { x: 1 } }, text: 'no' },
  };
  expect(renderPrompt('{a}{n} {empty} {bad} {text} {toString}', {}, metadata)).toBe('A2 {empty} {bad} {text} {toString}');
  expect(renderPrompt('[{a}]', { a: '' }, metadata)).toBe('[]');
});

test('nothing to say, or too much, is refused', () => {
  expect(() => renderPrompt('{a}', { a: ' \n' })).toThrow('must have a text');
  expect(renderPrompt('{a}', { a: 'x'.repeat(200_000) })).toHaveLength(200_000);
  expect(() => renderPrompt('{a}!', { a: 'x'.repeat(200_000) })).toThrow('at most 200000 characters');
  expect(() => renderPrompt('{a}'.repeat(30_000), { a: 'x'.repeat(200_000) })).toThrow('at most 200000 characters');
  const [long, short] = [`{${'a'.repeat(100)}}`, `{${'b'.repeat(100)}}`];
  const variables = { ['a'.repeat(100)]: 'x'.repeat(180_000), ['b'.repeat(100)]: '' };
  expect(renderPrompt(long + short.repeat(300), variables)).toHaveLength(180_000);
});

test('a long text of braces is read as it stands', () => {
  for (const piece of ['{', '}', '{{', '{x', `{${'x'.repeat(99)}`, '{}', '{x}']) {
    const text = piece.repeat(Math.floor(150_000 / piece.length));
    expect(renderPrompt(text, { y: 'Y' })).toBe(text);
  }
});
