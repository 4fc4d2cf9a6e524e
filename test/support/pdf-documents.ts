/** One object of a PDF: what stands between `obj` and `endobj`. */
export type PdfObject = string | Buffer;

/** A stream object; `entries` are those of its dictionary besides the length. */
export function pdfStream(data: Buffer | string, entries = ''): Buffer {
  const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
  return Buffer.concat([
    Buffer.from(`<< ${entries} /Length ${bytes.length} >>\nstream\n`, 'latin1'),
    bytes,
    Buffer.from('\nendstream', 'latin1'),
  ]);
}

/** A PDF file of objects numbered from 1, the first of which is its catalog. */
export function pdfFile(objects: readonly PdfObject[], trailer = ''): Buffer {
  const parts: Buffer[] = [Buffer.from('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n', 'latin1')];
  const offsets: number[] = [];
  let length = parts[0]?.length ?? 0;
  const add = (part: Buffer): void => {
    parts.push(part);
    length += part.length;
  };
  for (const [index, object] of objects.entries()) {
    offsets.push(length);
    add(Buffer.from(`${index + 1} 0 obj\n`, 'latin1'));
    add(typeof object === 'string' ? Buffer.from(object, 'latin1') : object);
    add(Buffer.from('\nendobj\n', 'latin1'));
  }
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  const size = objects.length + 1;
  const end = `xref\n0 ${size}\n0000000000 65535 f \n${table}trailer\n<< /Size ${size} /Root 1 0 R ${trailer} >>\nstartxref\n${length}\n%%EOF\n`;
  add(Buffer.from(end, 'latin1'));
  return Buffer.concat(parts);
}

const hex = (value: number): string => value.toString(16).padStart(4, '0');

/** A map from the codes that a text is written in to Unicode, as every PDF with text that can be copied has it. */
function toUnicodeMap(characters: readonly string[]): Buffer {
  const entries = characters.map(
    (character, index) => `<${hex(index + 1)}> <${Buffer.from(character, 'utf16le').swap16().toString('hex')}>`,
  );
  const blocks: string[] = [];
  for (let from = 0; from < entries.length; from += 100) {
    const block = entries.slice(from, from + 100);
    blocks.push(`${block.length} beginbfchar\n${block.join('\n')}\nendbfchar`);
  }
  const head = '/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /T def /CMapType 2 def';
  return pdfStream(`${head}\n1 begincodespacerange <0000> <ffff> endcodespacerange\n${blocks.join('\n')}\nendcmap end end`);
}

/** Characters in the order in which a page's glyphs stand from left to right. */
function glyphOrder(line: string): readonly string[] {
  const characters = [...line];
  return /[\p{Script=Hebrew}\p{Script=Arabic}]/u.test(line) ? characters.toReversed() : characters;
}

/** A page's operators: one line below the other. */
function textOperators(page: string, codes: ReadonlyMap<string, number>): string {
  const lines = page.split('\n').map((line) => {
    const shown = glyphOrder(line).map((character) => hex(codes.get(character) ?? 0));
    return `<${shown.join('')}> Tj 0 -14 Td`;
  });
  return `BT /F1 12 Tf 72 760 Td\n${lines.join('\n')}\nET`;
}

/** A PDF whose pages say these texts; lines end with `\n` and are all of one direction. */
export function textPdf(pages: readonly string[]): Buffer {
  const characters = [...new Set(pages.join('').replaceAll('\n', ''))];
  const codes = new Map(characters.map((character, index) => [character, index + 1]));
  const firstPage = 6;
  const pageObjects = pages.flatMap((page, index) => [
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents ${firstPage + index * 2 + 1} 0 R >>`,
    pdfStream(textOperators(page, codes)),
  ]);
  const kids = pages.map((_, index) => `${firstPage + index * 2} 0 R`).join(' ');
  return pdfFile([
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Count ${pages.length} /Kids [${kids}] >>`,
    '<< /Type /Font /Subtype /Type0 /BaseFont /Any /Encoding /Identity-H /DescendantFonts [4 0 R] /ToUnicode 5 0 R >>',
    '<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Any /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /DW 600 >>',
    toUnicodeMap(characters),
    ...pageObjects,
  ]);
}

/** A document of so many pages with the same 3,000 quotation marks on each: little to read, and twice as long as its text in JSON. */
export function longPdf(pages: number): Buffer {
  const line = `(${'"'.repeat(100)}) Tj T* `;
  const font = '/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>';
  const kids = Array.from({ length: pages }, (_, index) => `${index + 4} 0 R`).join(' ');
  return pdfFile([
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Count ${pages} /Kids [${kids}] >>`,
    pdfStream(`BT /F1 2 Tf 10 780 Td 3 TL ${line.repeat(30)}ET`),
    ...new Array<string>(pages).fill(`<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] ${font} /Contents 3 0 R >>`),
  ]);
}
