import { tooLong } from '../upstream/failures.ts';

/** Reads server-sent events out of text that arrives in any pieces. */
export interface SseParser {
  push(text: string): void;
  /** Call when the stream is over: hands out a last event whose blank line is missing. */
  end(): void;
}

/**
 * Calls `onData` with each event's data (WHATWG HTML section 9.2.6), line ends being LF or CRLF; other fields and comments are passed over.
 * Throws `upstream_too_long` for a line, or the data of one event, beyond `maxCharacters`.
 */
export function createSseParser({ maxCharacters, onData }: { maxCharacters: number; onData: (data: string) => void }): SseParser {
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

  return {
    push(text) {
      let from = 0;
      for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', from)) {
        const line = rest + text.slice(from, at);
        rest = '';
        from = at + 1;
        takeLine(line.startsWith('\uFEFF') ? line.slice(1) : line);
      }
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
