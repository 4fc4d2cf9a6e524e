import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { childrenOf, peakUntil } from '../../../test/support/child-processes.ts';
import { createDocumentFolder, type DocumentFolder } from '../../../test/support/document-folder.ts';
import { docx, inflatingDocx, zipArchive, zipEntry } from '../../../test/support/docx-documents.ts';
import { endlessPage } from '../../../test/support/endless-page.ts';
import {
  deepPageTreePdf,
  exponentialFormsPdf,
  inflatingPdf,
  lockedPdf,
  loopingPageTreePdf,
  repeatedPagePdf,
  textOperatorsPdf,
} from '../../../test/support/hostile-pdfs.ts';
import { pdfFile, textPdf } from '../../../test/support/pdf-documents.ts';
import { missing } from '../../../test/support/requirements.ts';
import type { DocumentType, ExtractedText, Extractor } from '../../core/ports/extractor.ts';
import { systemClock } from '../clock/system-clock.ts';
import { createExtractor, type ExtractorOptions } from './create-extractor.ts';

const QPDF = '/usr/bin/qpdf';
const READER = 'extractors/reader';
/** A busy machine may make any document slow. */
const PATIENCE_MS = 60_000;
const signal = new AbortController().signal;

let folder: DocumentFolder;
let extractors: Extractor[];
beforeAll(() => {
  folder = createDocumentFolder();
});
afterAll(() => folder.remove());
beforeEach(() => {
  extractors = [];
});
afterEach(async () => {
  await Promise.all(extractors.map((extractor) => extractor.close()));
  expect(childrenOf(process.pid, READER)).toEqual([]);
});

function create(bounds: Partial<ExtractorOptions> = {}): Extractor {
  const extractor = createExtractor({ clock: systemClock, timeMs: PATIENCE_MS, ...bounds });
  extractors.push(extractor);
  return extractor;
}

/** Has a document read after another owner's; gives how the first went and the text of the second. */
async function readBoth(type: DocumentType, bytes: Buffer | string, extractor = create()): Promise<readonly [unknown, readonly string[]]> {
  const hostile: Promise<ExtractedText> = extractor.extract({ file: folder.put(bytes), type, signal, owner: 'hostile' });
  const other = extractor.extract({ file: folder.put(textPdf(['of another'])), type: 'pdf', signal, owner: 'other' });
  const outcome = await hostile.catch((error: unknown) => error);
  return [outcome, (await other).pages];
}

const refused = (reason: string) => [expect.objectContaining({ name: 'ExtractionError', reason }), ['of another']];

test.each([
  ['a few kilobytes that inflate to 3 GB', () => inflatingPdf(3000)],
  ['forms that draw each other without end', () => exponentialFormsPdf(12)],
  ['two million text operators', () => textOperatorsPdf(2_000_000)],
])('%s: the process is killed, the server keeps its memory, the next document is read', async (_, make) => {
  const bytes = make();
  const extractor = create({ memoryBytes: 300_000_000 });
  const before = process.memoryUsage.rss();
  const outcome = readBoth('pdf', bytes, extractor);
  const peak = await peakUntil(outcome, READER);
  expect(await outcome).toEqual(refused('too_complex'));
  // Left alone each of them takes 2 GB; the rest is for a machine too busy to look in time.
  expect(peak).toBeLessThan(1_200_000_000);
  expect(process.memoryUsage.rss() - before).toBeLessThan(100_000_000);
});

test('300,000 references to a page cost what the pages that are read cost', async () => {
  const [outcome, other] = await readBoth('pdf', repeatedPagePdf(300_000), create({ maxPages: 50 }));
  expect(outcome).toEqual({ pages: new Array(50).fill('the same page'), pageCount: 300_000, truncated: true });
  expect(other).toEqual(['of another']);
});

test('page trees that are too deep or their own child are damaged', async () => {
  expect(await readBoth('pdf', deepPageTreePdf(20_000))).toEqual(refused('damaged'));
  expect(await readBoth('pdf', loopingPageTreePdf())).toEqual(refused('damaged'));
});

test('what takes too long is killed', async () => {
  const long = create({ timeMs: 500 }).extract({ file: folder.put(endlessPage()), type: 'html', signal });
  await expect(long).rejects.toMatchObject({ reason: 'too_complex' });
  expect(childrenOf(process.pid, READER)).toEqual([]);
});

test('elements that stand in each other without end are given up', async () => {
  expect(await readBoth('html', `<html>${'<div><b>'.repeat(1_000_000)}x`)).toEqual(refused('too_complex'));
  expect(await readBoth('docx', docx('<w:sdt>'.repeat(500_000)))).toEqual(refused('too_complex'));
  const [outcome] = await readBoth('html', `<html>${'<font>'.repeat(5000)}x`);
  expect(outcome).toMatchObject({ pages: ['x'] });
});

test('a Word document that inflates to 3 GB is read as far as the bound on characters', async () => {
  const [outcome, other] = await readBoth('docx', inflatingDocx(3000, 'a'));
  expect(outcome).toEqual({ pages: ['a'.repeat(5_000_000)], pageCount: 1, truncated: true });
  expect(other).toEqual(['of another']);
  expect(await readBoth('docx', inflatingDocx(3000, ' '))).toEqual(refused('too_complex'));
});

test('a locked document is encrypted', async () => {
  expect(await readBoth('pdf', lockedPdf())).toEqual(refused('encrypted'));
});

test('a real password keeps the text from readers, one for changes does not', async ({ skip }) => {
  if (spawnSync(QPDF, ['--version']).status !== 0) {
    missing(`${QPDF} is not there (Debian: qpdf)`);
    skip();
  }
  const plain = folder.put(textPdf(['secret words']));
  const encrypted = (...passwords: readonly [string, string]): Buffer => {
    const file = folder.put('');
    expect(spawnSync(QPDF, [plain, '--encrypt', ...passwords, '256', '--', file]).status).toBe(0);
    return readFileSync(file);
  };
  expect(await readBoth('pdf', encrypted('user', 'owner'))).toEqual(refused('encrypted'));
  expect(await readBoth('pdf', encrypted('', 'owner'))).toEqual([
    { pages: ['secret words'], pageCount: 1, truncated: false },
    ['of another'],
  ]);
});

const whole = textPdf(['a page', 'another page']);
const body = '<w:document><w:body><w:p><w:r><w:t>words</w:t></w:r></w:p></w:body></w:document>';
const archive = zipArchive([zipEntry('word/document.xml', body)]);

test.each<[string, DocumentType, Buffer]>([
  ['a header alone', 'pdf', Buffer.from('%PDF-1.7\n')],
  ['zero bytes', 'pdf', Buffer.alloc(0)],
  ['no PDF', 'pdf', Buffer.from('GIF89a and so on')],
  ['a document without its end', 'pdf', whole.subarray(0, 200)],
  ['a document without pages', 'pdf', pdfFile(['<< /Type /Catalog >>'])],
  ['a cut archive', 'docx', archive.subarray(0, archive.length - 10)],
  ['an archive with broken contents', 'docx', Buffer.from(archive).fill(0xff, 60, 80)],
])('%s is damaged', async (_, type, bytes) => {
  expect(await readBoth(type, bytes)).toEqual(refused('damaged'));
});

test('a table of contents that leads astray is found again', async () => {
  const astray = Buffer.from(whole.toString('latin1').replace(/startxref\n\d+/, 'startxref\n7'), 'latin1');
  const [outcome] = await readBoth('pdf', astray);
  expect(outcome).toEqual({ pages: ['a page', 'another page'], pageCount: 2, truncated: false });
});
