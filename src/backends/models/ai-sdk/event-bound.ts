const BLANK_LINES = ['\n\n', '\n\r\n'] as const;
/** A blank line has at most three bytes, so two of them may be in the bytes before. */
const SHARED_BYTES = 2;

/** Watches over the size of server-sent events, which the SDK's parser collects without a bound. */
export interface EventBound {
  /** Whether the event that these bytes go on with is too large by now. */
  exceeds(bytes: Buffer): boolean;
}

/** A bound of `maxBytes` for everything between two blank lines. */
export function createEventBound(maxBytes: number): EventBound {
  let size = 0;
  let tail = '';
  return {
    exceeds(bytes) {
      const last = lastBlankLine(bytes);
      if (last !== -1) size = bytes.length - last;
      else if (endsEvent(tail + bytes.toString('latin1', 0, SHARED_BYTES))) size = bytes.length;
      else size += bytes.length;
      tail = (tail + bytes.toString('latin1', Math.max(0, bytes.length - SHARED_BYTES))).slice(-SHARED_BYTES);
      return size > maxBytes;
    },
  };
}

/** Where the last blank line begins; -1 without one. */
function lastBlankLine(bytes: Buffer): number {
  return Math.max(...BLANK_LINES.map((line) => bytes.lastIndexOf(line)));
}

function endsEvent(text: string): boolean {
  return BLANK_LINES.some((line) => text.includes(line));
}
