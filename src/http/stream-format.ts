import type { RunEvent } from '../core/run-event.ts';

/** One frame, not yet serialised. In SSE, line feeds in `data` become further `data:` lines. */
export interface Frame {
  /** 1.. for the parts of an event that was cut, else null; the id is then `<offset>.<part>`. */
  readonly part: number | null;
  readonly event: string | null;
  readonly data: string;
}

/** Turns a run's events, from the first one on and in order, into frames. Deterministic: the same events always give the same frames. */
export type Encoder = (event: RunEvent) => readonly Frame[];

/** How a dialect shows a run's log. One encoder serves all readers of a run in that format. */
export interface RunFormat {
  /** Unique among all formats. */
  readonly name: string;
  /** Whether frames carry `id:`, so that a reader can resume. */
  readonly ids: boolean;
  /** Each event gives its frames whatever came before it: a reader that resumes needs nothing from before its cursor. */
  readonly stateless?: true;
  /** Writes each frame's data as a line of its own instead of as SSE, for readers on a WebSocket; no data may hold a line feed. */
  readonly lines?: true;
  createEncoder(): Encoder;
}

/** A run's log as an SSE response. */
export interface StreamFormat extends RunFormat {
  /** Whether `: ping` comments keep an idle stream open. */
  readonly pings: boolean;
  /** The response's content type, exactly. */
  readonly contentType: string;
}
