import type { ErrorCode } from '../core/errors.ts';

/** What came of something: `ok`, or the code of its failure. */
export type Outcome = 'ok' | ErrorCode;

/** Counts what happens on the WebSockets of one path. */
export interface SocketCounts {
  /** Somebody asked for a WebSocket: once for each, when it is known whether they come in. */
  admitted(outcome: Outcome): void;
  /** A client's frame was dealt with. `type` is one of few names, whatever clients send. */
  frame(type: string, outcome: Outcome): void;
}

/** For servers that count nothing. */
export const uncounted: SocketCounts = { admitted: () => undefined, frame: () => undefined };
