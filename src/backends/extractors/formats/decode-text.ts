import { TextDecoder } from 'node:util';
import { analyse } from 'chardet';
import { markedEncoding } from '../byte-order-mark.ts';

const SAMPLE_BYTES = 64 * 1024;
/** Of 100. Below, the few letters that are not ASCII say too little. */
const MIN_CONFIDENCE = 20;

function decoderOf(label: string): TextDecoder | null {
  try {
    return new TextDecoder(label);
  } catch (error) {
    // The label comes from a document or a detector; one that nobody knows is as good as none.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** The likeliest encoding of text that is not UTF-8. */
function guess(bytes: Uint8Array): TextDecoder | null {
  const [best] = analyse(bytes.subarray(0, SAMPLE_BYTES));
  return best === undefined || best.confidence < MIN_CONFIDENCE ? null : decoderOf(best.name);
}

/** A text by its byte order mark, else as UTF-8, else in the encoding it declares or seems to have, else as windows-1252. */
export function decodeText(bytes: Uint8Array, declared: string | null = null): string {
  const marked = markedEncoding(bytes);
  if (marked !== null) return new TextDecoder(marked).decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  const decoder = (declared === null ? null : decoderOf(declared)) ?? guess(bytes) ?? new TextDecoder('windows-1252');
  return decoder.decode(bytes);
}
