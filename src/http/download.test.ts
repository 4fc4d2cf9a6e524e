import { expect, test } from 'vitest';
import { contentDisposition } from './download.ts';

test.each([
  ['a b.pdf', `attachment; filename="a b.pdf"; filename*=UTF-8''a%20b.pdf`],
  ['Café "x"%20\\.pdf', `attachment; filename="Cafe _x__20_.pdf"; filename*=UTF-8''Caf%C3%A9%20%22x%22%2520%5C.pdf`],
  ["報告'(1)*.pdf", `attachment; filename="__'(1)*.pdf"; filename*=UTF-8''%E5%A0%B1%E5%91%8A%27%281%29%2A.pdf`],
  [
    'a\u{1f600}; filename=evil.exe',
    `attachment; filename="a_; filename=evil.exe"; filename*=UTF-8''a%F0%9F%98%80%3B%20filename%3Devil.exe`,
  ],
])('%s is saved as it is called', (name, header) => {
  expect(contentDisposition(name)).toBe(header);
  expect(header).toMatch(/^[\x20-\x7e]+$/);
});
