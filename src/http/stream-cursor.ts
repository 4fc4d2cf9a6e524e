import type { FastifyRequest } from 'fastify';
import { AppError } from '../core/errors.ts';

/** The last frame a reader has: all of event `offset`, or of a cut event only the pieces up to `part`. Offset 0 is the start. */
export interface StreamCursor {
  readonly offset: number;
  readonly part: number | null;
}

/** Before the first frame. */
export const STREAM_START: StreamCursor = { offset: 0, part: null };

const CURSOR = /^(0|[1-9][0-9]{0,15})(?:\.([1-9][0-9]{0,5}))?$/;

/** Reads a frame id; anything but `<offset>` and `<offset>.<part>` is `cursor_invalid`. */
function parseStreamCursor(text: string): StreamCursor {
  const match = CURSOR.exec(text);
  const offset = Number(match?.[1]);
  if (!match || !Number.isSafeInteger(offset)) {
    throw new AppError('cursor_invalid', 'The position to resume from must be the id of a frame of this stream.');
  }
  return { offset, part: match[2] === undefined ? null : Number(match[2]) };
}

/** Where a request wants to resume: its `Last-Event-ID`, else the named query parameter, else null. */
export function readStreamCursor(request: Pick<FastifyRequest, 'headers' | 'query'>, queryName: string | null): StreamCursor | null {
  const header = request.headers['last-event-id'];
  if (header !== undefined) return parseStreamCursor(String(header));
  if (queryName === null) return null;
  const value = (request.query as Record<string, unknown>)[queryName];
  return value === undefined ? null : parseStreamCursor(String(value));
}
