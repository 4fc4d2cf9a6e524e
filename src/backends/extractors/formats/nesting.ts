import { ExtractionError } from '../../../core/ports/extractor.ts';

/** Browsers stop at 512. The parser's price for an element grows with those around it. */
const MAX_DEPTH = 10_000;

/** Refuses markup whose elements stand in each other without end. */
export function checkDepth(depth: number): void {
  if (depth > MAX_DEPTH) throw new ExtractionError('too_complex');
}
