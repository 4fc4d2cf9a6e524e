import type { PageWriter } from '../page-writer.ts';
import { decodeText } from './decode-text.ts';

/** Text, Markdown and CSV are what they say: one page. */
export function readPlainText(bytes: Uint8Array, writer: PageWriter): number {
  writer.add(decodeText(bytes));
  return 1;
}
