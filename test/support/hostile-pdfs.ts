import { constants, deflateRawSync, deflateSync } from 'node:zlib';
import type { PdfObject } from './pdf-documents.ts';
import { pdfFile, pdfStream } from './pdf-documents.ts';

const FONT = '/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>';
const MEBIBYTE = 1024 * 1024;

/** A document of one page with this content; further objects are numbered from 5. */
function onePage(content: Buffer, further: readonly PdfObject[] = [], resources = FONT): Buffer {
  return pdfFile([
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] ${resources} /Contents 4 0 R >>`,
    content,
    ...further,
  ]);
}

/** Zlib's checksum of `count` equal bytes (RFC 1950, 8.2). */
function adler32(byte: number, count: number): Buffer {
  const n = BigInt(count);
  const sum = (1n + BigInt(byte) * n) % 65521n;
  const sumOfSums = (n + (BigInt(byte) * n * (n + 1n)) / 2n) % 65521n;
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(Number(sumOfSums) * 65536 + Number(sum));
  return bytes;
}

/** Spaces in their shortest zlib form, without ever holding them: blocks that stand for themselves may be repeated. */
function deflatedSpaces(mebibytes: number): Buffer {
  const block = deflateRawSync(Buffer.alloc(MEBIBYTE, ' '), { level: 9, finishFlush: constants.Z_FULL_FLUSH });
  const blocks = new Array<Buffer>(mebibytes).fill(block);
  return Buffer.concat([Buffer.from([0x78, 0xda]), ...blocks, Buffer.from([0x03, 0x00]), adler32(0x20, mebibytes * MEBIBYTE)]);
}

/** A few kilobytes, deflated twice, that inflate to so many mebibytes of a page's content. */
export function inflatingPdf(mebibytes: number): Buffer {
  return onePage(pdfStream(deflateSync(deflatedSpaces(mebibytes), { level: 9 }), '/Filter [/FlateDecode /FlateDecode]'));
}

/** Forms that each draw the next one ten times: 10 to the power of `depth` pieces of text. */
export function exponentialFormsPdf(depth: number): Buffer {
  const forms = Array.from({ length: depth }, (_, index) =>
    pdfStream('/X Do '.repeat(10), `/Type /XObject /Subtype /Form /BBox [0 0 612 792] /Resources << /XObject << /X ${index + 6} 0 R >> >>`),
  );
  const last = pdfStream('BT /F1 12 Tf (a) Tj ET', `/Type /XObject /Subtype /Form /BBox [0 0 612 792] ${FONT}`);
  return onePage(pdfStream('/X Do'), [...forms, last], '/Resources << /XObject << /X 5 0 R >> >>');
}

/** A page tree that names the same page again and again. */
export function repeatedPagePdf(references: number): Buffer {
  return pdfFile([
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Count ${references} /Kids [${'3 0 R '.repeat(references)}] >>`,
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] ${FONT} /Contents 4 0 R >>`,
    pdfStream('BT /F1 12 Tf 72 720 Td (the same page) Tj ET'),
  ]);
}

/** A page that writes one letter after the other, each with an operator of its own. */
export function textOperatorsPdf(operators: number): Buffer {
  const content = `BT /F1 1 Tf 72 720 Td ${'(a) Tj 1 0 Td '.repeat(operators)}ET`;
  return onePage(pdfStream(deflateSync(Buffer.from(content, 'latin1')), '/Filter /FlateDecode'));
}

/** A page tree with one branch per level, its only page at the end. */
export function deepPageTreePdf(depth: number): Buffer {
  const branches = Array.from(
    { length: depth },
    (_, index) => `<< /Type /Pages /Count 1 /Kids [${index + 3} 0 R]${index > 0 ? ` /Parent ${index + 1} 0 R` : ''} >>`,
  );
  const page = `<< /Type /Page /Parent ${depth + 1} 0 R /MediaBox [0 0 612 792] ${FONT} /Contents ${depth + 3} 0 R >>`;
  return pdfFile(['<< /Type /Catalog /Pages 2 0 R >>', ...branches, page, pdfStream('BT /F1 12 Tf 72 720 Td (at the end) Tj ET')]);
}

/** A page tree whose branch is its own child. */
export function loopingPageTreePdf(): Buffer {
  return pdfFile(['<< /Type /Catalog /Pages 2 0 R >>', '<< /Type /Pages /Count 2 /Kids [2 0 R 2 0 R] >>']);
}

/** A document that opens only with a password which nobody knows: no password makes the stored checks (ISO 32000-1, 7.6.3). */
export function lockedPdf(): Buffer {
  const key = (byte: string): string => `<${byte.repeat(32)}>`;
  const trailer = `/Encrypt << /Filter /Standard /V 2 /R 3 /Length 128 /P -44 /O ${key('5a')} /U ${key('a5')} >> /ID [${key('01')} ${key('01')}]`;
  return pdfFile(
    [
      '<< /Type /Catalog /Pages 2 0 R >>',
      '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
      '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] >>',
    ],
    trailer,
  );
}
