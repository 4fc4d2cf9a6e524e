import type { LoggedEvent } from '../core/run-event.ts';

/** One SSE frame, not yet serialised. Line feeds in `data` become further `data:` lines. */
export interface Frame {
  /** 1.. for the parts of an event that was cut, else null; the id is then `<offset>.<part>`. */
  readonly part: number | null;
  readonly event: string | null;
  readonly data: string;
}

/** Turns a run's events, from the first one on and in order, into frames. Deterministic: the same events always give the same frames. */
export type Encoder = (logged: LoggedEvent) => readonly Frame[];

/** How a dialect shows a run's log as an SSE stream. One encoder serves all readers of a run in that format. */
export interface StreamFormat {
  /** Unique among all formats. */
  readonly name: string;
  /** Whether frames carry `id:`, so that a reader can resume. */
  readonly ids: boolean;
  /** Whether `: ping` comments keep an idle stream open. */
  readonly pings: boolean;
  /** The response's content type, exactly. */
  readonly contentType: string;
  createEncoder(): Encoder;
}
