import { createFrameReader, type RawFrame } from '../support/raw-frames.ts';
import { type RawAnswer, type RawReading, type RawRequest, sendRaw } from '../support/raw-http.ts';
import type { StreamDoor } from './doors.ts';
import { meaningOf, type StreamEnd } from './frame-meaning.ts';
import type { Problems } from './report.ts';

/** A piece of answer text and the number of the event that brought it; 0 from a door without numbers. */
export interface Piece {
  readonly offset: number;
  readonly text: string;
}

/** What one client has of one answer, over all its connections. */
export interface Reading {
  /** Id of the last complete frame. */
  readonly cursor: string | null;
  readonly pieces: readonly Piece[];
  readonly text: string;
  /** How the answer ended, once its terminal frame is there. */
  readonly end: StreamEnd | null;
  /** Data of the terminal frame. */
  readonly lastFrame: string;
  take(door: StreamDoor, frame: RawFrame): void;
  /** A piece of text at its place in the answer, from a door that tells places instead of numbers. */
  takeAt(at: number, text: string): void;
  /** The end from a door without numbers, with the whole answer when that door tells it. */
  finish(end: StreamEnd, lastFrame: string, whole: string | null): void;
  /** Before going on at another door: forgets the parts of an event that one door had cut and another one cuts elsewhere. */
  forgetParts(): void;
  /** Begins from the answer's start again; what is there now must be the beginning of what comes. */
  startAgain(): void;
  /** Checks that everything read before a new start was a beginning of the text there is now. */
  checkBeginnings(): void;
}

/** Starts without a frame. `label` names the reader in problems. */
export function createReading(problems: Problems, label: string): Reading {
  let cursor: string | null = null;
  let pieces: Piece[] = [];
  let end: StreamEnd | null = null;
  let lastFrame = '';
  const beginnings: string[] = [];
  const textNow = () => pieces.map((piece) => piece.text).join('');

  function takeId(door: StreamDoor, id: string | null): number {
    if (door === 'chat-sessions' || id === null) {
      problems.expect((id === null) === (door === 'chat-sessions'), 'framing', `${label}: ${door} frame with id ${id}`);
      return 0;
    }
    const [offset, part] = placeOf(id);
    const [last, lastPart] = cursor === null ? [0, Number.POSITIVE_INFINITY] : placeOf(cursor);
    // A native event that another door had cut comes whole, in place of the parts.
    const whole = door === 'native' && offset === last && Number.isFinite(lastPart);
    if (whole) pieces = pieces.filter((piece) => piece.offset !== offset);
    problems.expect(
      whole || offset > last || (offset === last && part > lastPart),
      'doubled',
      `${label}: ${door} frame ${id} behind ${cursor}`,
    );
    problems.expect(door !== 'native' || whole || offset <= last + 1, 'skipped', `${label}: native frame ${id} behind ${cursor}`);
    cursor = id;
    return offset;
  }

  return {
    get cursor() {
      return cursor;
    },
    get pieces() {
      return pieces;
    },
    get text() {
      return textNow();
    },
    get end() {
      return end;
    },
    get lastFrame() {
      return lastFrame;
    },
    take(door, frame) {
      problems.expect(end === null, 'terminal', `${label}: a frame behind the terminal one: ${frame.data.slice(0, 80)}`);
      const meaning = meaningOf(door, frame);
      const offset = takeId(door, frame.id);
      if (meaning.text !== '') pieces.push({ offset, text: meaning.text });
      if (meaning.whole !== null) problems.expect(meaning.whole === textNow(), 'lost', `${label}: the pieces are not the whole reply`);
      if (meaning.end === null) return;
      end ??= meaning.end;
      lastFrame = frame.data;
    },
    takeAt(at, text) {
      problems.expect(end === null, 'terminal', `${label}: a token behind the end: ${text.slice(0, 80)}`);
      const { length } = textNow();
      problems.expect(at === length, at < length ? 'doubled' : 'skipped', `${label}: a token at ${at} behind ${length} characters`);
      pieces.push({ offset: 0, text });
    },
    finish(how, frame, whole) {
      problems.expect(end === null, 'terminal', `${label}: a second end: ${frame.slice(0, 80)}`);
      if (whole !== null && pieces.length === 0) pieces.push({ offset: 0, text: whole });
      problems.expect(whole === null || whole === textNow(), 'lost', `${label}: the pieces are not the whole answer`);
      end ??= how;
      lastFrame = frame;
    },
    forgetParts() {
      const [offset, part] = cursor === null ? [0, Number.POSITIVE_INFINITY] : placeOf(cursor);
      if (!Number.isFinite(part)) return;
      pieces = pieces.filter((piece) => piece.offset !== offset);
      cursor = offset > 1 ? String(offset - 1) : null;
    },
    startAgain() {
      if (pieces.length > 0) beginnings.push(textNow());
      pieces = [];
      cursor = null;
    },
    checkBeginnings() {
      const text = textNow();
      for (const beginning of beginnings) problems.expect(text.startsWith(beginning), 'lost', `${label}: a new start brought another text`);
    },
  };
}

/** Offset and part of a frame id; a whole event counts as its last part. */
function placeOf(id: string): readonly [number, number] {
  const [offset, part] = id.split('.').map(Number);
  return [offset ?? Number.NaN, part ?? Number.POSITIVE_INFINITY];
}

/** Far longer than any answer takes: whoever waits longer waits for something that never comes. */
export const PATIENCE_MS = 60_000;

/** Sends a request and reads the frames of its answer, for a minute at most; bytes that are no stream of that door are a problem. */
export async function readStream(
  reading: Reading,
  stream: { door: StreamDoor; request: RawRequest; problems: Problems },
  limits: Omit<RawReading, 'onBytes'> = {},
): Promise<RawAnswer> {
  const frames = createFrameReader();
  let status = 0;
  let text = '';
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE_MS);
  const answer = await sendRaw(stream.request, {
    ...limits,
    signal: limits.signal === undefined ? patience.signal : AbortSignal.any([limits.signal, patience.signal]),
    onHead(head) {
      status = head.status;
      limits.onHead?.(head);
    },
    onBytes(bytes) {
      if (status !== 200) {
        text += bytes.toString();
        return;
      }
      try {
        for (const frame of frames(bytes)) reading.take(stream.door, frame);
      } catch (error) {
        stream.problems.add('framing', `${stream.door}: ${String(error)}`);
      }
    },
  });
  clearTimeout(timer);
  return { ...answer, text };
}
