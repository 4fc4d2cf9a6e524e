/** The text that ends a raw-token stream. */
export const DONE = '[DONE]';

/** Whether a client may take this code unit away at the ends of a line: what JavaScript's `\s` or Python's `str.strip` removes. */
export function isWhiteSpace(unit: number): boolean {
  if (unit <= 0x20) return (unit >= 0x09 && unit <= 0x0d) || unit >= 0x1c;
  if (unit < 0x85) return false;
  if (unit === 0x85 || unit === 0xa0 || unit === 0x1680 || unit === 0x3000 || unit === 0xfeff) return true;
  return (unit >= 0x2000 && unit <= 0x200a) || unit === 0x2028 || unit === 0x2029 || unit === 0x202f || unit === 0x205f;
}

/** What clients split lines at: the line feed of SSE and the further ones of Python's `str.splitlines`. */
function endsLine(unit: number): boolean {
  return (unit >= 0x0a && unit <= 0x0d) || (unit >= 0x1c && unit <= 0x1e) || unit === 0x85 || unit === 0x2028 || unit === 0x2029;
}

function strip(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isWhiteSpace(text.charCodeAt(from))) from += 1;
  while (to > from && isWhiteSpace(text.charCodeAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

function looksLikeEnd(line: string): boolean {
  return line.includes('[') && strip(line.replaceAll('data: ', '')) === DONE;
}

function* linesOf(text: string): Generator<{ line: string; start: number }> {
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (!endsLine(text.charCodeAt(at))) continue;
    yield { line: text.slice(start, at), start };
    start = at + 1;
  }
  yield { line: text.slice(start), start };
}

/**
 * Cuts a raw-token chunk so that no line of a piece equals `[DONE]` once every `data: ` in it and the white space at both ends are removed:
 * clients clean lines so before they look for the end. Each cut is behind a `[`, between two visible characters. The pieces joined are the
 * chunk.
 */
export function cutFalseEnds(chunk: string): readonly string[] {
  if (!chunk.includes('[')) return [chunk];
  const pieces: string[] = [];
  let from = 0;
  for (const { line, start } of linesOf(chunk)) {
    if (!looksLikeEnd(line)) continue;
    const cut = start + line.indexOf('[') + 1;
    pieces.push(chunk.slice(from, cut));
    from = cut;
  }
  pieces.push(chunk.slice(from));
  return pieces;
}

/** Cuts a text into pieces of at most `maxUnits` code units, never inside a surrogate pair. The pieces joined are the text. */
export function cutText(text: string, maxUnits: number): readonly string[] {
  const pieces: string[] = [];
  let from = 0;
  while (text.length - from > maxUnits) {
    const high = (text.charCodeAt(from + maxUnits - 1) & 0xfc00) === 0xd800;
    const to = from + maxUnits - (high ? 1 : 0);
    pieces.push(text.slice(from, to));
    from = to;
  }
  pieces.push(text.slice(from));
  return pieces;
}
