import { expect, test } from 'vitest';
import type { AttachmentId } from '../../../core/ids.ts';
import { sampleFile } from '../../../http/docs/samples.ts';
import { markerFor, showFiles } from './file-text.ts';
import { createLabels, namedPassages } from './labels.ts';

const fileOf = (name: string, id: string) => ({ ...sampleFile, id: id as AttachmentId, name });
const passage = (label: string, text = '') => ({ label, text, fileId: 'f' as AttachmentId, name: 'n', page: 1 });

test('files are called by their names, in which nothing can end a label or begin another', () => {
  const files = [fileOf('a];[b.pdf', '1'), fileOf('same.pdf', '2'), fileOf('same.pdf', '3'), fileOf('x'.repeat(200), '4')];
  const labelOf = createLabels(files);
  expect(files.map((file) => labelOf(file, 7))).toEqual([
    'a),(b.pdf, p. 7',
    'same.pdf, p. 7',
    'same.pdf (2), p. 7',
    `${'x'.repeat(79)}…, p. 7`,
  ]);
});

test('of the passages of a page an answer names the first', () => {
  const passages = [passage('a, p. 1', 'best'), passage('a, p. 1', 'other'), passage('b')];
  expect(namedPassages('[b] [a, p. 1] [c]', passages).map(({ text }) => text)).toEqual(['', 'best']);
});

test('looking for names takes time in proportion to the answer', () => {
  const cpu = process.cpuUsage();
  for (const text of ['['.repeat(1_000_000), '[a'.repeat(500_000), `${'[a;'.repeat(100_000)}]`])
    expect(namedPassages(text, [passage('b')])).toEqual([]);
  expect(process.cpuUsage(cpu).user).toBeLessThan(3_000_000);
});

test('the marker is one that no text has', () => {
  const texts = ['=====secret', '=====secret=', 'no marker'];
  const marker = markerFor(
    texts.map((text) => passage('x', text)),
    'secret',
  );
  expect(texts.some((text) => text.includes(marker))).toBe(false);
  const shown = showFiles({ passages: texts.map((text) => passage('x', text)), whole: true, secret: 'secret' });
  expect(shown.split(`${marker} [x]\n`)).toHaveLength(4);
});
