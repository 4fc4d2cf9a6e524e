import { expect, test } from 'vitest';
import { renderTable, toVisible } from './table.ts';

test('columns are as wide as their widest cell, whatever its characters', () => {
  const rows = [
    ['1', '🦜🦜', 'x'],
    ['22', 'a', ''],
  ];
  expect(renderTable(['ID', 'NAME', 'LAST'], rows)).toBe('ID  NAME  LAST\n1   🦜🦜    x\n22  a\n');
});

test('nothing that a terminal obeys reaches it', () => {
  expect(toVisible('a\u001b[31mb\r\nc\u009b\u202e\u0000 é名')).toBe('a\\u{1b}[31mb\\u{d}\\u{a}c\\u{9b}\\u{202e}\\u{0} é名');
});
