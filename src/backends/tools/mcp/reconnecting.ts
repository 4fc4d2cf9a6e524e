import type { Clock } from '../../../core/ports/clock.ts';
import { ToolError } from '../../../core/ports/tool.ts';
import { abortable } from './abortable.ts';
import type { Connection } from './open-connection.ts';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 60_000;

/** One connection to a server, opened when it is needed and again when it is of no more use. */
export interface Reconnecting {
  /** Does something over the connection there is, or a new one; rejects with a `ToolError` while the server cannot be reached. */
  use<T>(signal: AbortSignal, work: (connection: Connection) => Promise<T>): Promise<T>;
  /** Has the next use open another connection; this one is closed when nobody uses it any more. */
  retire(connection: Connection): void;
  close(): Promise<void>;
}

interface ReconnectingOptions {
  readonly open: (signal: AbortSignal) => Promise<Connection>;
  readonly clock: Pick<Clock, 'elapsed'>;
  /** Told why a connection could not be opened or closed. */
  readonly onFailure: (error: unknown) => void;
}

/** Opens at most one connection at a time; after failures it pauses, twice as long each time, up to a minute. */
export function createReconnecting({ open, clock, onFailure }: ReconnectingOptions): Reconnecting {
  const closing = new AbortController();
  /** Those that have not been closed, with how many use them. */
  const users = new Map<Connection, number>();
  let current: Promise<Connection> | null = null;
  let latest: Connection | null = null;
  let failures = 0;
  let retryAt = 0;

  async function connect(): Promise<Connection> {
    try {
      latest = await open(closing.signal);
      users.set(latest, 0);
      failures = 0;
      return latest;
    } catch (error) {
      current = null;
      retryAt = clock.elapsed() + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
      failures += 1;
      if (!closing.signal.aborted) onFailure(error);
      throw unreachable(error);
    }
  }

  async function get(signal: AbortSignal): Promise<Connection> {
    if (current === null && (closing.signal.aborted || clock.elapsed() < retryAt)) throw unreachable(undefined);
    current ??= connect();
    return abortable(current, signal);
  }

  function closeUnlessUsed(connection: Connection): void {
    if (connection === latest || users.get(connection) !== 0) return;
    users.delete(connection);
    connection.close().catch(onFailure);
  }

  return {
    async use(signal, work) {
      const connection = await get(signal);
      users.set(connection, (users.get(connection) ?? 0) + 1);
      try {
        return await work(connection);
      } finally {
        const left = users.get(connection);
        if (left !== undefined) users.set(connection, left - 1);
        closeUnlessUsed(connection);
      }
    },
    retire(connection) {
      if (connection !== latest) return;
      current = null;
      latest = null;
      closeUnlessUsed(connection);
    },
    async close() {
      closing.abort(new ToolError('The server is stopping.'));
      await current?.catch(() => undefined);
      current = null;
      const left = [...users.keys()];
      users.clear();
      await Promise.all(left.map((connection) => connection.close()));
    },
  };
}

function unreachable(cause: unknown): ToolError {
  return new ToolError("The tool's server cannot be reached.", { cause });
}
