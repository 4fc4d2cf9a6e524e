// Node's own HTTP client makes an event of every chunk, which costs the readers of a relay more than the relay itself. This one takes what a
// read of the socket has brought as one piece. It knows what the bench's targets send, no more.

/** What becomes of an answer. */
export interface Taker {
  onStatus(status: number): void;
  onText(text: string): void;
  /** `reusable`: the connection stays open for the next request. */
  onEnd(reusable: boolean): void;
}

type Place = 'head' | 'size' | 'chunk' | 'behind-chunk' | 'trailer' | 'counted';

interface Head {
  readonly status: number;
  readonly chunked: boolean;
  readonly length: number;
  readonly reusable: boolean;
}

function parseHead(head: string): Head {
  return {
    status: Number(head.slice(9, 12)),
    chunked: /\r\ntransfer-encoding: *chunked/i.test(head),
    length: Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0),
    reusable: !/\r\nconnection: *close/i.test(head),
  };
}

/** Reads one answer from a socket's text (Latin-1). */
export function createAnswerReader(taker: Taker): { add(data: string): void } {
  let rest = '';
  let place: Place = 'head';
  let left = 0;
  let reusable = true;
  let over = false;
  let text = '';

  function takeHead(head: string): void {
    const { status, chunked, length, reusable: kept } = parseHead(head);
    reusable = kept;
    left = length;
    place = chunked ? 'size' : 'counted';
    over = !chunked && length === 0;
    taker.onStatus(status);
  }

  /** Where the line ends that begins at a place; -1 while it is not complete. */
  function takeLine(at: number): number {
    const end = place === 'head' ? '\r\n\r\n' : '\r\n';
    const found = rest.indexOf(end, at);
    if (found < 0) return -1;
    if (place === 'head') takeHead(rest.slice(at, found + 2));
    else if (place === 'trailer') over = true;
    else if (place === 'behind-chunk') place = 'size';
    else {
      left = Number.parseInt(rest.slice(at, found), 16);
      place = left === 0 ? 'trailer' : 'chunk';
    }
    return found + end.length;
  }

  /** Where the part of the body ends that begins at a place. */
  function takeBody(at: number): number {
    const piece = rest.slice(at, at + left);
    text += piece;
    left -= piece.length;
    if (left === 0 && place === 'chunk') place = 'behind-chunk';
    else if (left === 0) over = true;
    return at + piece.length;
  }

  return {
    add(data) {
      rest += data;
      text = '';
      let at = 0;
      while (!over && at < rest.length) {
        const next: number = place === 'chunk' || place === 'counted' ? takeBody(at) : takeLine(at);
        if (next < 0) break;
        at = next;
      }
      rest = rest.slice(at);
      if (text !== '') taker.onText(text);
      if (over) taker.onEnd(reusable);
    },
  };
}
