const LEVIA_CHUNK_BYTES = 1_024;
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const PYTHON_SPACE =
  '\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000';
const ANYWHERE = new RegExp(`[${PYTHON_SPACE}]`, 'g');

/** A text without what Python takes for white space. */
export function withoutSpace(text: string): string {
  return text.replace(ANYWHERE, '');
}

/** Python's `str.strip`; a loop, because a regular expression takes quadratic time on long runs of white space. */
function strip(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && PYTHON_SPACE.includes(text.charAt(from))) from += 1;
  while (to > from && PYTHON_SPACE.includes(text.charAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

/**
 * Reads as levia's documented client: decodes chunks of 1,024 bytes each by itself and strictly, splits at empty lines, takes `data:` lines
 * as JSON. Throws what would have ended it.
 */
export function readAsLeviaClient(bytes: Buffer): { content: string; last: unknown } {
  let pending = '';
  let content = '';
  let last: unknown = null;
  for (let at = 0; at < bytes.length; at += LEVIA_CHUNK_BYTES) {
    pending += strictUtf8.decode(bytes.subarray(at, at + LEVIA_CHUNK_BYTES));
    const frames = pending.split('\n\n');
    pending = frames.pop() ?? '';
    for (const line of frames.flatMap((frame) => frame.split('\n'))) {
      if (!line.startsWith('data:')) continue;
      const event = JSON.parse(strip(line.slice(5)));
      if (event.type === 'stream' && event.data.type === 'text') content += event.data.content;
      else last = event;
    }
  }
  return { content, last };
}

/** Reads as chat-sessions' documented client: lines of bytes that begin with `data: `, stripped, printed without a separator, up to `[DONE]`. */
export function readAsLineClient(bytes: Buffer): { printed: string; done: boolean; unread: number } {
  let printed = '';
  let from = 0;
  while (from < bytes.length) {
    const end = bytes.indexOf(0x0a, from);
    const line = bytes.subarray(from, end < 0 ? bytes.length : end);
    from = end < 0 ? bytes.length : end + 1;
    if (line.subarray(0, 6).toString('latin1') !== 'data: ') continue;
    const content = strip(strictUtf8.decode(line.subarray(6)));
    // Only the empty line that closes the frame may follow.
    if (content === '[DONE]') return { printed, done: true, unread: bytes.length - from - 1 };
    printed += content;
  }
  return { printed, done: false, unread: 0 };
}

/**
 * Reads as graph's documented client: lines of bytes, of which those that begin with `data: ` are printed without any `data: ` in them and
 * without a separator, up to `[DONE]`.
 */
export function readAsGraphClient(bytes: Buffer): { printed: string; done: boolean } {
  let printed = '';
  let from = 0;
  while (from < bytes.length) {
    const end = bytes.indexOf(0x0a, from);
    const line = strictUtf8.decode(bytes.subarray(from, end < 0 ? bytes.length : end));
    from = end < 0 ? bytes.length : end + 1;
    if (!line.startsWith('data: ')) continue;
    const content = line.replaceAll('data: ', '');
    if (content === '[DONE]') return { printed, done: true };
    printed += content;
  }
  return { printed, done: false };
}

/** What a client that prints stripped lines can show of a text: all but its line breaks and the white space beside them. */
export function withoutLineEnds(text: string): string {
  return text.split('\n').map(strip).join('');
}
