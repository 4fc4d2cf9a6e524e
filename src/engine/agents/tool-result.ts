import { cleanText } from '../runs/text-intake.ts';

/** UTF-8 bytes of the longest result that is kept. */
const MAX_RESULT_BYTES = 1_048_576;
const CUT = '\n[The result was longer; the rest was cut off.]';

/** A tool's result as it enters the log: clean text of bounded size, which says when something was cut off. */
export function keptResult(result: string): string {
  // A UTF-16 unit has no more than three bytes of UTF-8, and no less than one.
  const clean = cleanText(result.length > MAX_RESULT_BYTES ? result.slice(0, MAX_RESULT_BYTES + 1) : result);
  if (clean.length * 3 <= MAX_RESULT_BYTES) return clean;
  const bytes = Buffer.from(clean);
  if (bytes.length <= MAX_RESULT_BYTES) return clean;
  let end = MAX_RESULT_BYTES - CUT.length;
  // Bytes that continue a character are 10xxxxxx.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end) + CUT;
}
