import type { Connection } from './connection.ts';
import { ConnectionLost } from './failures.ts';

const FIRST_BACKOFF_MS = 100;
const LAST_BACKOFF_MS = 2_000;

/** A few connections for work of one kind. Work begins in the order it came; a connection that is lost costs only the work that was on it. */
export interface Lane {
  run<T>(work: (connection: Connection) => Promise<T>): Promise<T>;
  /** Lets everything end that was asked for before. */
  close(): Promise<void>;
}

/** A lane of at most `width` connections, which are opened when they are needed. */
export function createLane(connect: () => Promise<Connection>, width: number): Lane {
  const connectAgain = withBackoff(connect);
  const idle: Connection[] = [];
  const waiting: (() => void)[] = [];
  let free = width;

  async function enter(): Promise<void> {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
  }
  function leave(): void {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  }
  async function take(): Promise<Connection> {
    for (let connection = idle.pop(); connection !== undefined; connection = idle.pop()) if (connection.usable) return connection;
    return connectAgain();
  }
  async function giveBack(connection: Connection): Promise<void> {
    if (connection.usable) idle.push(connection);
    else await connection.close();
  }

  return {
    async run(work) {
      await enter();
      try {
        const connection = await take();
        try {
          return await work(connection);
        } finally {
          await giveBack(connection);
        }
      } finally {
        leave();
      }
    },
    async close() {
      for (let entered = 0; entered < width; entered += 1) await enter();
      await Promise.all(idle.map((connection) => connection.close()));
    },
  };
}

/** While the server cannot be reached, refuses at once for a growing time instead of asking it again and again. */
function withBackoff(connect: () => Promise<Connection>): () => Promise<Connection> {
  let failure: { readonly error: unknown; readonly until: number; readonly pause: number } | null = null;
  return async () => {
    if (failure !== null && performance.now() < failure.until) throw new ConnectionLost(failure.error);
    try {
      const connection = await connect();
      failure = null;
      return connection;
    } catch (error) {
      const pause = failure === null ? FIRST_BACKOFF_MS : Math.min(2 * failure.pause, LAST_BACKOFF_MS);
      failure = { error, until: performance.now() + pause, pause };
      throw new ConnectionLost(error);
    }
  };
}
