import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { extname } from 'node:path';
import type { DocumentType } from '../../core/ports/extractor.ts';
import { isMarkup, startsLikeMarkup } from './markup-start.ts';
import { pdfHeaderOf } from './pdf-header.ts';
import { isText } from './text-check.ts';
import { holdsWordDocument } from './word-archive.ts';

const HEAD_BYTES = 4096;
const TAIL_BYTES = 1024;

/** What tells kinds of text apart where their content does not. */
const TEXT_KINDS: Readonly<Record<string, DocumentType>> = {
  '.html': 'html',
  '.htm': 'html',
  '.xhtml': 'html',
  '.md': 'markdown',
  '.markdown': 'markdown',
  '.mdown': 'markdown',
  '.csv': 'csv',
  '.tsv': 'csv',
  '.txt': 'text',
};

async function readPart(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** Languages of printers and word processors are text to look at only. */
function isForeignFormat(head: Buffer): boolean {
  return head.subarray(0, 5).toString('latin1') === '{\\rtf' || head.subarray(0, 4).toString('latin1') === '%!PS';
}

/** A page that says so is one by any name; markup without a document around it only where the name does not say otherwise. */
function textKindOf(head: Buffer, name: string): DocumentType {
  if (isMarkup(head)) return 'html';
  return TEXT_KINDS[extname(name).toLowerCase()] ?? (startsLikeMarkup(head) ? 'html' : 'text');
}

/**
 * Tells what a file is by its bytes; null when it is none of the kinds, or two things at once: what is first of all something else and also a PDF
 * (a polyglot) is neither.
 */
export async function detectDocumentType({ file, name }: { readonly file: string; readonly name: string }): Promise<DocumentType | null> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const head = await readPart(handle, 0, HEAD_BYTES);
    const header = pdfHeaderOf(head);
    if (header === 'first') return 'pdf';
    const tail = await readPart(handle, Math.max(0, size - TAIL_BYTES), TAIL_BYTES);
    if (header !== 'none' && tail.includes('%%EOF')) return header === 'behind' ? 'pdf' : null;
    if (size === 0 || isForeignFormat(head)) return null;
    if (await holdsWordDocument(file, head)) return 'docx';
    return (await isText(handle)) ? textKindOf(head, name) : null;
  } finally {
    await handle.close();
  }
}
