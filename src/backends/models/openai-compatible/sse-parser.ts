import { tooLong } from '../upstream/failures.ts';

/** Reads server-sent events out of text that arrives in any pieces. */
export interface SseParser {
  push(text: string): void;
  /** Call when the stream is over: hands out a last event whose blank line is missing. */
  end(): void;
}

interface SseParserOptions {
  readonly maxCharacters: number;
  readonly onData: (data: string) => void;
}

const FIELD = 'data: ';
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Calls `onData` with each event's data (WHATWG HTML section 9.2.6), line ends being LF or CRLF; other fields and comments are passed over.
 * Throws `upstream_too_long` for a line, or the data of one event, beyond `maxCharacters`.
 */
export function createSseParser({ maxCharacters, onData }: SseParserOptions): SseParser {
  let rest = '';
  let data: string | null = null;

  function dispatch(): void {
    if (data === null) return;
    const complete = data;
    data = null;
    onData(complete);
  }

  function takeLine(raw: string): void {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line === '') dispatch();
    if (!line.startsWith('data:')) return;
    const value = line.slice(line[5] === ' ' ? 6 : 5);
    data = data === null ? value : `${data}\n${value}`;
    if (data.length > maxCharacters) throw tooLong();
  }

  /** Nearly all events come in one piece and are one line of data, which ends with a line feed: they need nothing put together. */
  function isWholeEvent(text: string, from: number, to: number): boolean {
    if (rest !== '' || data !== null || to - from > maxCharacters) return false;
    return text.charCodeAt(to + 1) === LINE_FEED && text.charCodeAt(to - 1) !== CARRIAGE_RETURN && text.startsWith(FIELD, from);
  }

  return {
    push(text) {
      let from = 0;
      for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', from)) {
        if (isWholeEvent(text, from, at)) {
          onData(text.slice(from + FIELD.length, at));
          from = at + 2;
          continue;
        }
        const line = rest + text.slice(from, at);
        rest = '';
        from = at + 1;
        takeLine(line.startsWith('\uFEFF') ? line.slice(1) : line);
      }
      if (from === text.length) return;
      rest += text.slice(from);
      if (rest.length > maxCharacters) throw tooLong();
    },
    end() {
      // A line without its end may be half a line: only the one that says so itself is certainly whole.
      if (/^data: ?\[DONE\]\r?$/.test(rest)) takeLine(rest);
      dispatch();
    },
  };
}
