import { tooLong } from '../upstream/failures.ts';

/** Reads server-sent events out of text that arrives in any pieces. One object with functions beside it: there is one for every stream. */
export interface SseParser {
  readonly maxCharacters: number;
  readonly onData: (data: string) => void;
  /** The beginning of a line. */
  rest: string;
  /** The data of an event that has not ended. */
  data: string | null;
}

const FIELD = 'data: ';
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Calls `onData` with each event's data. Lines, and the data of an event, are bounded. */
export function createSseParser({ maxCharacters, onData }: Pick<SseParser, 'maxCharacters' | 'onData'>): SseParser {
  return { maxCharacters, onData, rest: '', data: null };
}

/**
 * Reads on (WHATWG HTML section 9.2.6), line ends being LF or CRLF; other fields and comments are passed over. Throws `upstream_too_long` for a
 * line, or the data of one event, beyond the bound.
 */
export function parseText(parser: SseParser, text: string): void {
  let from = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', from)) {
    if (isWholeEvent(parser, text, { from, to: at })) {
      parser.onData(text.slice(from + FIELD.length, at));
      from = at + 2;
      continue;
    }
    const line = parser.rest + text.slice(from, at);
    parser.rest = '';
    from = at + 1;
    takeLine(parser, line.startsWith('\uFEFF') ? line.slice(1) : line);
  }
  if (from === text.length) return;
  parser.rest += text.slice(from);
  if (parser.rest.length > parser.maxCharacters) throw tooLong();
}

/** Call when the stream is over: hands out a last event whose blank line is missing. */
export function endText(parser: SseParser): void {
  // A line without its end may be half a line: only the one that says so itself is certainly whole.
  if (/^data: ?\[DONE\]\r?$/.test(parser.rest)) takeLine(parser, parser.rest);
  dispatch(parser);
}

/** Nearly all events come in one piece and are one line of data, which ends with a line feed: they need nothing put together. */
function isWholeEvent({ rest, data, maxCharacters }: SseParser, text: string, { from, to }: { from: number; to: number }): boolean {
  if (rest !== '' || data !== null || to - from > maxCharacters) return false;
  return text.charCodeAt(to + 1) === LINE_FEED && text.charCodeAt(to - 1) !== CARRIAGE_RETURN && text.startsWith(FIELD, from);
}

function takeLine(parser: SseParser, raw: string): void {
  const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
  if (line === '') dispatch(parser);
  if (!line.startsWith('data:')) return;
  const value = line.slice(line[5] === ' ' ? 6 : 5);
  parser.data = parser.data === null ? value : `${parser.data}\n${value}`;
  if (parser.data.length > parser.maxCharacters) throw tooLong();
}

function dispatch(parser: SseParser): void {
  const { data } = parser;
  if (data === null) return;
  parser.data = null;
  parser.onData(data);
}
