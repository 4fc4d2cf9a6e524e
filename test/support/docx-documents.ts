import { constants, crc32, deflateRawSync } from 'node:zlib';

const MEBIBYTE = 1024 * 1024;

interface ZipEntry {
  readonly name: string;
  /** What is stored, deflated. */
  readonly deflated: Buffer;
  /** Bytes that it inflates to. */
  readonly size: number;
  readonly crc: number;
}

/** A small entry. */
export function zipEntry(name: string, content: string): ZipEntry {
  const bytes = Buffer.from(content, 'utf8');
  return { name, deflated: deflateRawSync(bytes), size: bytes.length, crc: crc32(bytes) };
}

/** What local and central headers have in common (PKWARE APPNOTE, 4.3.7 and 4.3.12). */
function commonHeader({ deflated, size, crc, name }: ZipEntry): Buffer {
  const header = Buffer.alloc(26);
  header.writeUInt16LE(20, 0);
  header.writeUInt16LE(8, 4);
  header.writeUInt32LE(crc, 10);
  header.writeUInt32LE(deflated.length, 14);
  header.writeUInt32LE(size, 18);
  header.writeUInt16LE(Buffer.byteLength(name), 22);
  return header;
}

/** A ZIP archive of these entries. */
export function zipArchive(entries: readonly ZipEntry[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const name = Buffer.from(entry.name);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), commonHeader(entry), name, entry.deflated]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\0'), commonHeader(entry), rest, name]));
    files.push(local);
    offset += local.length;
  }
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...files, ...directory, end]);
}

const NAMESPACES =
  'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"';

function part(root: string, content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><w:${root} ${NAMESPACES}>${content}</w:${root}>`;
}

const CONTENT_TYPES = zipEntry(
  '[Content_Types].xml',
  '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
);

/** A Word document with this WordprocessingML in its body and its notes. */
export function docx(body: string, footnotes?: string): Buffer {
  const notes = footnotes === undefined ? [] : [zipEntry('word/footnotes.xml', part('footnotes', footnotes))];
  return zipArchive([CONTENT_TYPES, ...notes, zipEntry('word/document.xml', part('document', `<w:body>${body}</w:body>`))]);
}

/** A ZIP archive that is no Word document. */
export function plainZip(): Buffer {
  return zipArchive([zipEntry('readme.txt', 'nothing to see')]);
}

/** A Word document whose body inflates to so many mebibytes of one piece of text; it is never held. */
export function inflatingDocx(mebibytes: number, filler: ' ' | 'a'): Buffer {
  const piece = (text: string | Buffer): Buffer => deflateRawSync(text, { level: 9, finishFlush: constants.Z_FULL_FLUSH });
  const head = part('document', '<w:body><w:p><w:r><w:t>|').split('|')[0] ?? '';
  const tail = '</w:t></w:r></w:p></w:body></w:document>';
  const blocks = new Array<Buffer>(mebibytes).fill(piece(Buffer.alloc(MEBIBYTE, filler)));
  const deflated = Buffer.concat([piece(head), ...blocks, deflateRawSync(tail)]);
  const size = Buffer.byteLength(head) + mebibytes * MEBIBYTE + tail.length;
  return zipArchive([CONTENT_TYPES, { name: 'word/document.xml', deflated, size, crc: 0 }]);
}
