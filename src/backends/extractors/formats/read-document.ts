import { readFile, stat } from 'node:fs/promises';
import type { DocumentType } from '../../../core/ports/extractor.ts';
import { ExtractionError } from '../../../core/ports/extractor.ts';
import type { PageWriter } from '../page-writer.ts';

/** More than any upload: a reader holds the whole file in memory. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Writes one document's pages; resolves with the number of pages that it has. */
type ReadFormat = (bytes: Uint8Array, writer: PageWriter) => number | Promise<number>;

/** A format's reader; what it is made of is loaded with the first document of its kind. */
async function readerOf(type: DocumentType): Promise<ReadFormat> {
  switch (type) {
    case 'pdf':
      return (await import('./pdf.ts')).readPdf;
    case 'docx':
      return (await import('./docx.ts')).readDocx;
    case 'html':
      return (await import('./html.ts')).readHtml;
    case 'markdown':
    case 'csv':
    case 'text':
      return (await import('./plain-text.ts')).readPlainText;
  }
}

/** Writes the pages of a file; rejects with an `ExtractionError`, or with what an engine throws when memory or stack is used up. */
export async function readDocument(
  { file, type }: { readonly file: string; readonly type: DocumentType },
  writer: PageWriter,
): Promise<number> {
  const read = await readerOf(type);
  if ((await stat(file)).size > MAX_BYTES) throw new ExtractionError('too_complex');
  return read(await readFile(file), writer);
}
