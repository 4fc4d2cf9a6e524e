import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDocumentFolder, type DocumentFolder } from '../../../test/support/document-folder.ts';
import { missing } from '../../../test/support/requirements.ts';
import type { Extractor } from '../../core/ports/extractor.ts';
import { systemClock } from '../clock/system-clock.ts';
import { createExtractor } from './create-extractor.ts';

const PDFTOTEXT = '/usr/bin/pdftotext';
const MANUAL = '/usr/share/doc/nettle-dev/nettle.pdf.gz';

/** A busy machine may make any document slow. */
const PATIENCE_MS = 60_000;

let folder: DocumentFolder;
let extractor: Extractor;
beforeAll(() => {
  folder = createDocumentFolder();
  extractor = createExtractor({ clock: systemClock, timeMs: PATIENCE_MS });
});
afterAll(async () => {
  await extractor.close();
  folder.remove();
});

/** The words of a text, however its lines are broken. */
function wordsOf(text: string): ReadonlySet<string> {
  return new Set(
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]{3,}/gu) ?? [],
  );
}

test('a real manual says what pdftotext reads in it, page by page', async ({ skip }) => {
  if (!existsSync(MANUAL) || spawnSync(PDFTOTEXT, ['-v']).status !== 0) {
    missing(`${MANUAL} or ${PDFTOTEXT} is not there (Debian: nettle-dev, poppler-utils)`);
    skip();
  }
  const file = folder.put(gunzipSync(readFileSync(MANUAL)));
  const expected = spawnSync(PDFTOTEXT, [file, '-'], { encoding: 'utf8', maxBuffer: 16_000_000 }).stdout.split('\f').slice(0, -1);
  const { pages, pageCount, truncated } = await extractor.extract({ file, type: 'pdf', signal: new AbortController().signal });
  expect({ pageCount, truncated }).toEqual({ pageCount: expected.length, truncated: false });
  expect(pageCount).toBeGreaterThan(100);
  const shares = expected.map((page, index) => {
    const words = [...wordsOf(page)];
    const found = wordsOf(pages[index] ?? '');
    return words.length === 0 ? 1 : words.filter((word) => found.has(word)).length / words.length;
  });
  expect(Math.min(...shares)).toBeGreaterThan(0.8);
  expect(shares.reduce((sum, share) => sum + share, 0) / shares.length).toBeGreaterThan(0.95);
});
