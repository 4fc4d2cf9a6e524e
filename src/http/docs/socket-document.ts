import type { JsonSchema } from './schema.ts';

/** One kind of frame on a WebSocket. */
export interface FrameDocument {
  readonly summary: string;
  readonly schema: JsonSchema;
  readonly example: unknown;
}

/** What a WebSocket takes and gives, frames by their `type`. */
export interface SocketDocument {
  readonly description: string;
  /** Query parameters at the upgrade. */
  readonly query: JsonSchema;
  readonly fromClient: Readonly<Record<string, FrameDocument>>;
  readonly fromServer: Readonly<Record<string, FrameDocument>>;
}
