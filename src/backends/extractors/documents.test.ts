import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDocumentFolder, type DocumentFolder } from '../../../test/support/document-folder.ts';
import { docx } from '../../../test/support/docx-documents.ts';
import { textPdf } from '../../../test/support/pdf-documents.ts';
import type { DocumentType, Extractor } from '../../core/ports/extractor.ts';
import { systemClock } from '../clock/system-clock.ts';
import { createExtractor } from './create-extractor.ts';

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

const read = (type: DocumentType, bytes: Buffer | string, from = extractor) =>
  from.extract({ file: folder.put(bytes), type, signal: new AbortController().signal });
const textOf = async (type: DocumentType, bytes: Buffer | string): Promise<string> => (await read(type, bytes)).pages.join('|');
const withExtractor = async (bounds: Partial<Parameters<typeof createExtractor>[0]>, use: (extractor: Extractor) => Promise<void>) => {
  const bounded = createExtractor({ clock: systemClock, timeMs: PATIENCE_MS, ...bounds });
  try {
    await use(bounded);
  } finally {
    await bounded.close();
  }
};

test('pages of a PDF stay apart, also empty ones, and any script comes out as it is read', async () => {
  const pages = ['Hello World\nGröße naïve', '', '你好世界 日本語テキスト 한국어', 'שלום עולם\nمرحبا بالعالم', 'emoji 😀 and 𝒳'];
  expect(await read('pdf', textPdf(pages))).toEqual({ pages, pageCount: 5, truncated: false });
});

test('ligatures and letter shapes become letters, combining marks their composed form', async () => {
  expect(await textOf('pdf', textPdf(['e\ufb00ect \ufb01le \ufb02ow cafe\u0301 A\u030a']))).toBe('effect file flow caf\u00e9 \u00c5');
});

test('a page without a visible character has no text', async () => {
  for (const pages of [[''], ['', ' ']]) await expect(read('pdf', textPdf(pages))).rejects.toMatchObject({ reason: 'no_text' });
  await expect(read('text', ' \n\u00a0\t')).rejects.toMatchObject({ reason: 'no_text' });
  await expect(read('html', '<html><script>alert(1)</script>')).rejects.toMatchObject({ reason: 'no_text' });
  await expect(read('docx', docx('<w:p/>'))).rejects.toMatchObject({ reason: 'no_text' });
});

test('bounds on pages and characters leave out what is beyond them and say so', async () => {
  const document = textPdf(['one', 'two', 'three']);
  await withExtractor({ maxPages: 2 }, async (bounded) => {
    expect(await read('pdf', document, bounded)).toEqual({ pages: ['one', 'two'], pageCount: 3, truncated: true });
  });
  await withExtractor({ maxCharacters: 5 }, async (bounded) => {
    expect(await read('pdf', document, bounded)).toEqual({ pages: ['one', 'tw'], pageCount: 3, truncated: true });
    expect(await read('text', 'abcde', bounded)).toEqual({ pages: ['abcde'], pageCount: 1, truncated: false });
    expect(await read('text', 'abcd😀', bounded)).toEqual({ pages: ['abcd'], pageCount: 1, truncated: true });
    expect(await read('html', '<p>abc<p>def', bounded)).toEqual({ pages: ['abc'], pageCount: 1, truncated: true });
    expect(await read('docx', docx('<w:p><w:r><w:t>abcdefgh</w:t></w:r></w:p>'), bounded)).toMatchObject({
      pages: ['abcde'],
      truncated: true,
    });
  });
});

test('a page longer than one report arrives whole', async () => {
  const text = Array.from({ length: 40_000 }, (_, index) => `line ${index} 你`).join('\n');
  expect(await read('text', text)).toEqual({ pages: [text], pageCount: 1, truncated: false });
});

test('text keeps its lines and loses controls and halves of pairs', async () => {
  expect(await textOf('csv', 'a,b\r\n1,2\r3\n')).toBe('a,b\n1,2\n3');
  expect(await textOf('markdown', '# T\n\n- *x*\u0000\u0007y\u0085z\u2028end')).toBe('# T\n\n- *x*y\nz\nend');
  expect(await textOf('text', Buffer.from('\ufeffa\ud800b', 'utf16le'))).toBe('a\ufffdb');
});

/** Encodes Cyrillic as windows-1251 does: А to я are in a row. */
function cyrillic(text: string): Buffer {
  const special: Readonly<Record<string, number>> = { Ё: 0xa8, ё: 0xb8 };
  return Buffer.from(
    [...text].map(
      (character) => special[character] ?? (character >= 'А' ? character.charCodeAt(0) - 0x410 + 0xc0 : character.charCodeAt(0)),
    ),
  );
}

test('text is decoded by its mark, as UTF-8, or in the encoding it seems to have', async () => {
  expect(await textOf('text', '\ufeffgrün 你好')).toBe('grün 你好');
  expect(await textOf('text', Buffer.from('\ufeffgrün 你好', 'utf16le'))).toBe('grün 你好');
  expect(await textOf('text', Buffer.from('\ufeffgrün 你好', 'utf16le').swap16())).toBe('grün 你好');
  expect(await textOf('text', Buffer.from('Stra\xdfe \x80 5 \x96 ja', 'latin1'))).toBe('Straße € 5 – ja');
  const russian = 'Съешь же ещё этих мягких французских булок, да выпей чаю. Это проверка.';
  expect(await textOf('text', cyrillic(russian))).toBe(russian);
});

test('a web page is its visible text', async () => {
  const page = `<!doctype html><html><head><title>Ma&#x6E;ual</title><style>p{}</style></head><body>
    <script>var hidden = '<p>no</p>'</script><nav hidden>menu</nav><h1>One</h1><p>Some   <b>bold</b>, and
    more.</p><ul><li>first<li>second</ul><table><tr><th>a<th>b</tr><tr><td>1<td>2</tr></table><pre>x
  y</pre><p>line<br>break &amp; &lt;end&gt;<img alt="A chart" src="http://127.0.0.1:9/"></body></html>`;
  expect(await textOf('html', page)).toBe(
    'Manual\n\nOne\n\nSome bold, and more.\n\n- first\n- second\n\na\tb\n1\t2\n\nx\n  y\n\nline\nbreak & <end> A chart',
  );
});

test('a web page is decoded as it declares', async () => {
  expect(await textOf('html', Buffer.from('<meta charset="iso-8859-2"><p>\xb1\xe6\xea', 'latin1'))).toBe('ąćę');
  expect(await textOf('html', '<meta charset="iso-8859-2"><p>ąćę')).toBe('ąćę');
  expect(await textOf('html', Buffer.from('<meta charset="no-such-thing"><p>stra\xdfe', 'latin1'))).toBe('straße');
});

test('a Word document is what its reader sees', async () => {
  const run = (content: string): string => `<w:r>${content}</w:r>`;
  const words = (text: string): string => run(`<w:t xml:space="preserve">${text}</w:t>`);
  const cell = (text: string): string => `<w:tc><w:p>${words(text)}</w:p></w:tc>`;
  const body = [
    `<w:p><w:pPr><w:tabs><w:tab w:val="left"/></w:tabs></w:pPr>${words('One ')}${words('word &amp; two')}</w:p>`,
    `<w:p>${words('a')}${run('<w:tab/>')}${words('b')}${run('<w:br/>')}${words('c')}</w:p>`,
    `<w:tbl><w:tr>${cell('1')}${cell('2')}</w:tr><w:tr>${cell('3')}${cell('4')}</w:tr></w:tbl>`,
    `<w:p><w:del>${run('<w:delText>deleted</w:delText>')}</w:del><w:moveFrom>${words('moved')}</w:moveFrom>${words('kept')}</w:p>`,
    `<w:p>${run('<w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t>')}${run('<w:rPr><w:vanish w:val="0"/></w:rPr><w:t>shown</w:t>')}</w:p>`,
    `<w:p><mc:AlternateContent><mc:Choice>${words('box')}</mc:Choice><mc:Fallback>${words('box')}</mc:Fallback></mc:AlternateContent></w:p>`,
    `<w:p>${run('<w:instrText>PAGE</w:instrText>')}${words('日本 cafe\u0301')}</w:p>`,
  ];
  const notes = `<w:footnote><w:p>${words('A note.')}</w:p></w:footnote>`;
  expect(await textOf('docx', docx(body.join(''), notes))).toBe(
    'One word & two\na\tb\nc\n1\t2\n3\t4\nkept\nshown\nbox\n日本 caf\u00e9\nA note.',
  );
});
