import { isWhiteSpace } from '../../http/raw-text.ts';

/** An answer's text on its way into the chunks that go on the wire. One object with functions beside it: it is looked at for every token. */
interface ChunkCutter {
  /** What waits for the text behind it. */
  held: string;
}

/** Bytes a frame takes at most on the wire. */
const MAX_FRAME_BYTES = 16_384;
/** `data: ` before the first line, the two line feeds at the end. */
const FRAME_BYTES = 8;
/** A line feed becomes a line feed and a further `data: `. */
const LINE_FEED_BYTES = 7;

function bytesOf(unit: number): number {
  if (unit === 0x0a) return LINE_FEED_BYTES;
  if (unit < 0x80) return 1;
  return unit < 0x800 ? 2 : 3;
}

/** How many code units from the text's start fit into one frame: at least all, when the text fits. */
function unitsThatFit(text: string): number {
  if (text.length * LINE_FEED_BYTES + FRAME_BYTES <= MAX_FRAME_BYTES) return text.length;
  let bytes = FRAME_BYTES;
  for (let at = 0; at < text.length; at += 1) {
    bytes += bytesOf(text.charCodeAt(at));
    if (bytes > MAX_FRAME_BYTES) return at;
  }
  return text.length;
}

function splitsPair(text: string, at: number): boolean {
  return (text.charCodeAt(at - 1) & 0xfc00) === 0xd800 && (text.charCodeAt(at) & 0xfc00) === 0xdc00;
}

/** The last place in `low..high` with visible characters on both sides, or 0. A place at the text's end is none: what follows is unknown. */
function lastCut(text: string, low: number, high: number): number {
  for (let at = Math.min(high, text.length - 1); at >= Math.max(low, 1); at -= 1) {
    if (!isWhiteSpace(text.charCodeAt(at)) && !isWhiteSpace(text.charCodeAt(at - 1)) && !splitsPair(text, at)) return at;
  }
  return 0;
}

/** The last place before a white space; only asked when no two visible characters stand side by side, so there is one. */
function lastForcedCut(text: string, high: number): number {
  for (let at = high; at > 1; at -= 1) if (isWhiteSpace(text.charCodeAt(at))) return at;
  return 1;
}

const NONE: readonly never[] = [];

/** A cutter for one answer. */
export function createChunkCutter(): ChunkCutter {
  return { held: '' };
}

/**
 * The chunks that a piece of text makes ready. Cuts inside words only: the last visible character and the white space behind it wait for the
 * next visible character, so that a chunk never begins or ends with white space but at the answer's two ends, and a client may strip chunks. A
 * text that can nowhere be cut so ("1 2 3") waits for its end, but no longer than one frame holds (16 KB on the wire): then it is cut before a
 * white space.
 */
export function cutChunks(cutter: ChunkCutter, text: string): readonly string[] {
  let searched = cutter.held.length;
  let held = cutter.held + text;
  let chunks: readonly string[] = NONE;
  for (let fit = unitsThatFit(held); fit < held.length; fit = unitsThatFit(held)) {
    const cut = lastCut(held, searched, fit) || lastForcedCut(held, fit);
    chunks = [...chunks, held.slice(0, cut)];
    held = held.slice(cut);
    searched = 0;
  }
  const cut = lastCut(held, searched, held.length);
  cutter.held = held.slice(cut);
  if (cut === 0) return chunks;
  const last = held.slice(0, cut);
  return chunks.length === 0 ? [last] : [...chunks, last];
}

/** What still waited at the answer's end. */
export function lastChunks(cutter: ChunkCutter): readonly string[] {
  const { held } = cutter;
  cutter.held = '';
  return held === '' ? [] : [held];
}
