import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDocumentFolder, type DocumentFolder } from '../../../test/support/document-folder.ts';
import { docx, plainZip, zipArchive, zipEntry } from '../../../test/support/docx-documents.ts';
import { textPdf } from '../../../test/support/pdf-documents.ts';
import { detectDocumentType } from './detect-document-type.ts';

let folder: DocumentFolder;
beforeAll(() => {
  folder = createDocumentFolder();
});
afterAll(() => folder.remove());

const detect = (bytes: Buffer | string, name = 'report.pdf') => detectDocumentType({ file: folder.put(bytes), name });
const pdf = textPdf(['Hello']);
const word = docx('<w:p><w:r><w:t>Hello</w:t></w:r></w:p>');
/** A Word document's body between two entries of these names. */
const wordBetween = (...[first, last]: readonly [string, string]): Buffer =>
  zipArchive([zipEntry(first, ''), zipEntry('word/document.xml', '<w/>'), zipEntry(last, '')]);
const behind = (before: Buffer | string, document = pdf): Buffer => Buffer.concat([Buffer.from(before), document]);

test('a PDF is one by its content, whatever its name', async () => {
  expect(await detect(pdf, 'notes.txt')).toBe('pdf');
  expect(await detect(pdf.subarray(0, pdf.length / 2))).toBe('pdf');
  expect(await detect('%PDF-1.7')).toBe('pdf');
});

test.each([
  ['white space', '\r\n \0\0'],
  ['a byte order mark', '\ufeff'],
  ['bytes that mean nothing', Buffer.alloc(1019, 'A')],
  ['a transfer header', 'HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\n\r\n'],
  ['a print job header', '\x1b%-12345X@PJL JOB\r\n@PJL ENTER LANGUAGE=PDF\r\n'],
])('a PDF behind %s is one', async (_, before) => {
  expect(await detect(behind(before))).toBe('pdf');
});

test.each([
  ['a ZIP archive', plainZip().subarray(0, 100)],
  ['a program of Windows', 'MZ\x90\0'],
  ['a program of Linux', '\x7fELF\x02\x01'],
  ['a picture', Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')],
  ['a web page', '<!doctype html><html><body>'],
  ['a page without a document', '<script>alert(1)</script>'],
  ['a page behind bytes', '\0\0\x01<img src=x onerror=alert(1)>'],
  ['a script in a comment', 'alert(1)/*'],
  ['a script in a template', 'x=`'],
  ['a shell script', '#!/bin/sh\nexit 0\n'],
  ['a tar archive', Buffer.concat([Buffer.alloc(257, 'n'), Buffer.from('ustar'), Buffer.alloc(250)])],
])('what is first of all %s is no PDF', async (_, before) => {
  expect(await detect(behind(before))).toBe(null);
});

test('a header behind the first kilobyte is none', async () => {
  expect(await detect(behind(Buffer.alloc(1020, '\0')))).toBe(null);
  expect(await detect('About the header %PDF-1.7 in `PDF` files.', 'notes.md')).toBe('markdown');
});

test.each([
  ['zero bytes', ''],
  ['a picture', Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1')],
  ['a ZIP archive without a document', plainZip()],
  ['a cut Word document', word.subarray(0, word.length - 30)],
  ['a Word document that is also a PDF', wordBetween('%PDF-1.7', '%%EOF')],
  ['a text with NUL', 'one\0two'],
  ['a text with an escape', 'one \x1b[31mtwo'],
  ['a text with NUL far behind', `${'line\n'.repeat(40_000)}\0`],
  ['rich text', '{\\rtf1\\ansi Hello}'],
  ['PostScript', '%!PS-Adobe-3.0\nshowpage'],
  ['UTF-16 with half a pair', Buffer.from('\ufeffa\ud800b', 'utf16le')],
])('%s is nothing that can be read', async (_, bytes) => {
  expect(await detect(bytes, 'a.txt')).toBe(null);
});

test.each([
  ['docx', word, 'report.pdf'],
  ['docx', wordBetween('first', 'last'), 'report'],
  ['html', '<!-- saved -->\n<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN">', 'page.txt'],
  ['html', '\ufeff<?xml version="1.0"?>\n<html xmlns="http://www.w3.org/1999/xhtml">', 'page'],
  ['html', Buffer.from('\ufeff<html lang=he>', 'utf16le'), 'page'],
  ['html', '<div>a piece of a page</div>', 'page'],
  ['html', 'words alone', 'PAGE.HTM'],
  ['markdown', '<h1 align="center">Project</h1>\n\n# Usage', 'README.md'],
  ['csv', 'name,age\n"Ann, of B",3\n', 'people.csv'],
  ['text', '{"json":true}', 'data.json'],
  ['text', 'grün und blau', 'noname'],
  ['text', Buffer.from('gr\xfcn \x80 5', 'latin1'), 'old.txt'],
  ['text', Buffer.from('\ufeffwide text', 'utf16le'), 'wide.log'],
  ['text', 'page one\fpage two\r\n\tend', 'rfc.txt'],
])('%s: %o named %s', async (type, bytes, name) => {
  expect(await detect(bytes, name)).toBe(type);
});

test('a file that is not there is an error and not a kind', async () => {
  await expect(detectDocumentType({ file: '/nowhere/at-all', name: 'a.pdf' })).rejects.toMatchObject({ code: 'ENOENT' });
});
