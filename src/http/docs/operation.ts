import type { ErrorCode } from '../../core/errors.ts';
import type { ErrorShape } from '../error-handler.ts';
import type { StreamFormat } from '../stream-format.ts';
import type { Circumstance } from './circumstances.ts';
import type { JsonSchema } from './schema.ts';
import type { SocketDocument } from './socket-document.ts';

/** A parameter as the route's code reads it. */
export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly description: string;
  readonly schema: JsonSchema;
  readonly example?: unknown;
}

/** What a request needs that another one has answered: runtime expressions (OpenAPI 3.1 section 4.8.20.4) into that answer, by name. */
export interface Origin {
  /** The id of an operation of the same dialect. */
  readonly operation: string;
  readonly parameters?: Readonly<Record<string, string>>;
  /** The body to send, with expressions in place of the values to fill in; the documented example with these in it. */
  readonly body?: Readonly<Record<string, unknown>>;
}

/** A change of a documented request: what is named replaces the request's own, null takes it away. */
export interface RequestChange {
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Fields of the body; the others stay. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** Sent as it stands. */
  readonly text?: string;
}

/** A request that is refused, and how: `fail` throws or gives what the route's own reading of it throws. Without it the body's schema refuses. */
export interface Refused {
  /** What must be so beside. */
  readonly given?: Circumstance;
  readonly request: RequestChange;
  readonly fail?: () => unknown;
}

type HeaderName =
  | 'X-Thread-Id'
  | 'X-Run-Id'
  | 'X-Session-Id'
  | 'X-Model'
  | 'Location'
  | 'Preference-Applied'
  | 'Retry-After'
  | 'ETag'
  | 'Content-Disposition';

/** One way in which a request is answered when all is well. */
export interface Answer {
  readonly status: number;
  readonly description: string;
  readonly headers?: readonly HeaderName[];
  /** Without one: no body, or a stream. */
  readonly json?: { readonly schema: JsonSchema; readonly example: unknown };
  readonly stream?: {
    readonly contentType: string;
    /** Real frames. */
    readonly example: string;
    /** What stands in the frames' data, when it is JSON. */
    readonly data?: JsonSchema;
  };
  /** Another body than JSON or a stream, such as a page. */
  readonly text?: { readonly contentType: string; readonly example: string };
}

/** What a route does, for the API's description. What it says is replayed against the server by a test. */
export interface Operation {
  /** Unique in its dialect. */
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  /** Answers without a credential, always or unless the settings say otherwise. */
  readonly public?: true | 'by-setting';
  /** A query parameter that takes an API key. */
  readonly queryKey?: string;
  readonly parameters?: readonly Parameter[];
  readonly body?: {
    /** Where the route has none of its own that validates. */
    readonly schema?: JsonSchema;
    readonly optional?: true;
    /** It is a multipart form; what the examples give as `file` is the content of a file. */
    readonly form?: true;
    readonly examples: Readonly<Record<string, unknown>>;
  };
  /** Takes an `Idempotency-Key`. */
  readonly repeatable?: true;
  readonly needs?: Origin;
  readonly answers: readonly Answer[];
  /** Failures beside those that every route of the dialect can give. */
  readonly errors?: readonly ErrorCode[];
  readonly refused?: readonly Refused[];
}

/** What a dialect tells about itself; operations by `METHOD /path` below its prefix, as they are registered. */
export interface DialectDocument {
  readonly operations: Readonly<Record<string, Operation>>;
  readonly errors: ErrorShape;
  /** The schema of its error bodies. */
  readonly errorSchema: JsonSchema;
  readonly socket?: SocketDocument;
}

/** A dialect with what it tells about itself. */
export interface DescribedDialect {
  readonly name: string;
  readonly purpose: string;
  readonly prefixes: readonly string[];
  readonly document: DialectDocument;
}

/** What of a stream's format its example depends on. */
export type StreamSample = Pick<StreamFormat, 'ids' | 'createEncoder'>;
