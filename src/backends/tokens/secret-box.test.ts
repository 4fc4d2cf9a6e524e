import { expect, test } from 'vitest';
import { createSecretBox } from './secret-box.ts';

const stored = 'the secret of a store';
const boxOf = (...set: string[]) => createSecretBox({ stored, set });
const box = boxOf('a set secret');

test.each(['', 'a', 'ключ 🔑', 'x'.repeat(10_000)])('what was sealed is opened again', (secret) => {
  const sealed = box.seal(secret);
  expect(sealed).toMatch(/^v1\.[\w-]+$/);
  expect(box.open(sealed)).toBe(secret);
  expect(boxOf('another', 'a set secret').open(sealed)).toBe(secret);
  for (const other of [boxOf('another'), boxOf(), createSecretBox({ stored: 'of another store', set: ['a set secret'] })]) {
    expect(other.open(sealed)).toBeNull();
  }
});

test('the same secret is sealed differently each time, and does not show', () => {
  const sealed = Array.from({ length: 100 }, () => box.seal('a secret that is long enough to be found'));
  expect(new Set(sealed).size).toBe(100);
  for (const text of sealed) expect(Buffer.from(text.slice(3), 'base64url').toString('latin1')).not.toContain('secret');
});

test('what was changed in any bit, cut or written otherwise is not opened', () => {
  const sealed = box.seal('secret');
  const bytes = Buffer.from(sealed.slice(3), 'base64url');
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const changed = Buffer.from(bytes);
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    expect(box.open(`v1.${changed.toString('base64url')}`)).toBeNull();
  }
  for (let length = 0; length < bytes.length; length += 1) {
    expect(box.open(`v1.${bytes.subarray(0, length).toString('base64url')}`)).toBeNull();
  }
  for (const text of ['', 'v1', 'v1.', sealed.slice(3), `v2${sealed.slice(2)}`, `${sealed}.`, `${sealed}=`, ` ${sealed}`]) {
    expect(box.open(text)).toBeNull();
  }
});

test('what was sealed before a secret was set is opened, and sealed anew it takes that secret', () => {
  const before = boxOf().seal('secret');
  expect([boxOf().open(before), box.open(before)]).toEqual(['secret', 'secret']);
  expect(boxOf().open(box.seal('secret'))).toBeNull();
});
