import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cleanFileName } from './file-name.ts';

test.each([
  ['document.pdf', 'document.pdf'],
  ['../../etc/passwd', 'passwd'],
  ['C:\\Users\\ann\\Desktop\\a b.pdf', 'a b.pdf'],
  ['..', 'file'],
  ['', 'file'],
  [' \t ', 'file'],
  ['folder/', 'file'],
  ['a\0b\r\nSet-Cookie: x.pdf', 'abSet-Cookie: x.pdf'],
  ['invoice\u202efdp.exe', 'invoicefdp.exe'],
  ['half \ud800 a pair.txt', 'half \ufffd a pair.txt'],
  ['Cafe\u0301.pdf', 'Café.pdf'],
  ['<img src=x onerror=alert(1)>.pdf', '<img src=x onerror=alert(1)>.pdf'],
  ['報告書　最終版.pdf', '報告書 最終版.pdf'],
])('%j becomes %j', (name, clean) => {
  expect(cleanFileName(name)).toBe(clean);
});

test('a long name keeps its extension', () => {
  expect(cleanFileName(`${'👋'.repeat(5_000)}.pdf`)).toBe('👋'.repeat(200));
  expect(cleanFileName(`${'x'.repeat(300)}.pdf`)).toBe(`${'x'.repeat(196)}.pdf`);
  expect(cleanFileName(`${'👋'.repeat(300)}.pdf`)).toBe(`${'👋'.repeat(196)}.pdf`);
});

test('whatever the name, what is left can be shown and is clean already', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (name) => {
      const clean = cleanFileName(name);
      expect([...clean].length).toBeGreaterThan(0);
      expect([...clean].length).toBeLessThanOrEqual(200);
      expect(clean).not.toMatch(/[\p{Cc}/\\]/u);
      expect(clean.isWellFormed()).toBe(true);
      expect(cleanFileName(clean)).toBe(clean);
    }),
  );
});
