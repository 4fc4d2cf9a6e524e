import { ToolError } from '../../../core/ports/tool.ts';
import { type CallFailure, callFailure } from './call-failure.ts';
import type { Connection } from './open-connection.ts';
import type { Reconnecting } from './reconnecting.ts';
import type { Redact } from './redact.ts';

type Attempt<T> = { readonly value: T } | (CallFailure & { readonly cause: unknown });
type Request<T> = (connection: Connection) => Promise<T>;

/** Asks a server; rejects with a `ToolError` in words without secrets, or with the signal's reason. */
export type Ask = <T>(signal: AbortSignal, request: Request<T>) => Promise<T>;

/** Makes what asks a server. */
export function createRequests(connections: Reconnecting, redact: Redact): Ask {
  async function attempt<T>(connection: Connection, signal: AbortSignal, request: Request<T>): Promise<Attempt<T>> {
    try {
      return { value: await request(connection) };
    } catch (cause) {
      signal.throwIfAborted();
      const failure = callFailure(cause);
      if (failure.broken) connections.retire(connection);
      return { ...failure, cause };
    }
  }

  /** What the server certainly has not got is sent again, once, over a new connection. */
  return async <T>(signal: AbortSignal, request: Request<T>): Promise<T> => {
    for (let tries = 1; ; tries += 1) {
      const outcome = await connections.use(signal, (connection) => attempt(connection, signal, request));
      if ('value' in outcome) return outcome.value;
      const { words, again, cause } = outcome;
      if (!again || tries > 1) throw new ToolError(redact(words), { cause });
    }
  };
}
