import type { EventStream } from './event-stream.ts';
import type { WebSocketConnection } from './web-socket-connection.ts';

/** One answer's share of a WebSocket. */
interface WebSocketStream extends EventStream {
  /** Whether it was ended behind its last frame, and not left or broken off before. */
  readonly hasEnded: boolean;
}

/** Lets a run's log be read onto a WebSocket; its end leaves the connection open, a log that cannot be read closes it (1011). */
export function createWebSocketStream(connection: WebSocketConnection, signal: AbortSignal): WebSocketStream {
  const over = new AbortController();
  let hasEnded = false;
  const stop = () => {
    over.abort();
    for (const source of [signal, connection.signal]) source.removeEventListener('abort', stop);
  };
  for (const source of [signal, connection.signal]) source.addEventListener('abort', stop);
  if (signal.aborted || connection.signal.aborted) stop();

  return {
    signal: over.signal,
    get hasEnded() {
      return hasEnded;
    },
    needsDrain: connection.needsDrain,
    write(lines) {
      if (!over.signal.aborted) connection.sendLines(lines);
    },
    drained: connection.drained,
    end() {
      hasEnded = !over.signal.aborted;
      stop();
    },
    destroy() {
      connection.close(1011, 'An answer cannot be read; connect again and ask for the history');
      stop();
    },
  };
}
