import { Counter, type Registry } from 'prom-client';

/** What happens on WebSockets, by dialect. An outcome is `ok` or the code of a failure; there are as few types and outcomes as code names. */
export interface SocketMetrics {
  /** Somebody asked for a WebSocket, and came in or did not. */
  asked(socket: { readonly dialect: string; readonly outcome: string }): void;
  /** A client's frame was dealt with. */
  answered(frame: { readonly dialect: string; readonly type: string; readonly outcome: string }): void;
}

export function createSocketMetrics(registry: Registry): SocketMetrics {
  const registers = [registry];
  const sockets = new Counter({
    name: 'polylogue_web_sockets_total',
    help: 'WebSockets that were asked for, by whether they were let in.',
    labelNames: ['dialect', 'outcome'],
    registers,
  });
  const frames = new Counter({
    name: 'polylogue_web_socket_frames_total',
    help: "Clients' frames on WebSockets, by type and outcome.",
    labelNames: ['dialect', 'type', 'outcome'],
    registers,
  });
  return {
    asked: ({ dialect, outcome }) => sockets.inc({ dialect, outcome }),
    answered: ({ dialect, type, outcome }) => frames.inc({ dialect, type, outcome }),
  };
}
