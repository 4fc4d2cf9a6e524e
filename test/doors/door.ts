import type { EventSourceMessage } from 'eventsource-parser';
import type { Dialect } from '../../src/http/dialect.ts';

/** One request of a dialect's client. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
}

type Kind = 'completed' | 'failed' | 'cancelled';

/** A terminal frame. */
export interface End {
  readonly kind: Kind;
  /** Why an answer failed, empty otherwise. */
  readonly detail: string;
}

/** What a client of the dialect understands of a stream. */
interface Heard {
  readonly text: string;
  readonly ends: readonly End[];
}

/** A dialect as its clients use it: all that the shared suite needs to know. */
export interface Door {
  readonly dialect: Dialect;
  /** Opens an empty conversation. */
  begin(user: string): Call;
  /** The conversation's name in the answer to `begin`. */
  placeIn(answer: Readonly<Record<string, unknown>>): string;
  /** A conversation that nobody has. */
  readonly nowhere: string;
  ask(question: { readonly user: string; readonly place: string; readonly text: string }): Call;
  /** Streams a run that is named in `X-Run-Id`; null when the answer to `ask` is the stream. */
  readonly follow: ((runId: string) => Call) | null;
  hear(events: readonly EventSourceMessage[]): Heard;
  /** The stream's content type; `text/event-stream` unless given. */
  readonly contentType?: string;
  /** For a dialect without streams: what its client understands of the one JSON object that answers `ask`, which knows only whole answers. */
  readonly hearJson?: (status: number, body: Readonly<Record<string, unknown>>) => Heard;
  /** How an end of this kind shows, where the dialect does not tell all kinds apart. */
  readonly shows?: Partial<Record<Kind, Kind>>;
  /** A conversation that nobody has, or somebody else, is opened by asking in it. */
  readonly opensUnknown?: true;
  /** The scheme in `WWW-Authenticate`; `Bearer` unless given. */
  readonly challenge?: string;
  /** Whether an error's body has the dialect's form. */
  isError(body: Readonly<Record<string, unknown>>): boolean;
  readonly status: {
    /** A body that is no object. */
    readonly notObject: number;
    /** A body without what it must have. */
    readonly missingField: number;
    readonly unknownPlace: number;
    /** A stream of a run that is not there: by status, or by a frame in a good stream. */
    readonly unknownRun: number;
    /** A credential that is none; 401 unless given. */
    readonly badCredential?: number;
  };
}
