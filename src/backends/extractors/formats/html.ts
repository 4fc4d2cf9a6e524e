import { Parser } from 'htmlparser2';
import type { PageWriter } from '../page-writer.ts';
import { decodeText } from './decode-text.ts';
import { createHtmlText } from './html-text.ts';

/** A page declares its encoding within its first kilobyte (WHATWG HTML, 4.2.5.4). */
const DECLARATION_BYTES = 1024;
const CHUNK_CHARACTERS = 64 * 1024;

function declaredEncoding(bytes: Uint8Array): string | null {
  const head = Buffer.from(bytes.subarray(0, DECLARATION_BYTES)).toString('latin1');
  return /<meta[^>]{1,200}charset\s{0,9}=\s{0,9}["']?\s{0,9}([\w-]{1,40})/i.exec(head)?.[1] ?? null;
}

/** Writes the visible text of a web page as one page. Nothing is fetched or run. */
export function readHtml(bytes: Uint8Array, writer: PageWriter): number {
  const source = decodeText(bytes, declaredEncoding(bytes));
  const page = createHtmlText(writer);
  const parser = new Parser(page.handler);
  for (let from = 0; from < source.length && !page.isFull(); from += CHUNK_CHARACTERS)
    parser.write(source.slice(from, from + CHUNK_CHARACTERS));
  if (!page.isFull()) parser.end();
  writer.add(page.text(), page.isFull());
  return 1;
}
