import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { pino } from 'pino';
import { afterEach } from 'vitest';
import { WebSocket } from 'ws';
import { systemClock } from '../../src/backends/clock/system-clock.ts';
import type { HostPolicy } from '../../src/http/host-policy.ts';
import { createWebSockets, type WebSocketHandler, type WebSockets, wantsWebSocket } from '../../src/http/web-socket.ts';
import { createFakeClock } from './fake-clock.ts';

/** The headers of a good handshake (RFC 6455 section 1.3). */
export const handshake = ['Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];

/** Says what it hears. */
export const echo: WebSocketHandler = async (connection) => (text) => connection.send(text === null ? 'binary' : text.toString());

/** An HTTP server that accepts WebSockets at `/echo`, a new one for each test. */
export interface SocketServer {
  /** Starts it on a free loopback port, which it gives. With `fake` the time stands still until the test moves it. */
  serve(handler: WebSocketHandler, options?: { readonly fake?: boolean; readonly hosts?: HostPolicy }): Promise<number>;
  readonly sockets: WebSockets;
  /** Null where the time is the real one. */
  readonly clock: ReturnType<typeof createFakeClock> | null;
  /** From now on it takes no further WebSockets. */
  drain(): void;
}

/** Servers for the tests of one file; closes after each test what it has started. */
export function socketServer(): SocketServer {
  let started: { readonly server: Server; readonly sockets: WebSockets } | null = null;
  let draining = new AbortController();
  let clock: SocketServer['clock'] = null;
  afterEach(async () => {
    const closed = started?.sockets.close();
    clock?.advance(10_000);
    await closed;
    started?.server.close();
    started?.server.closeAllConnections();
    started = null;
  });
  return {
    async serve(handler, { fake = false, hosts } = {}) {
      draining = new AbortController();
      clock = fake ? createFakeClock() : null;
      const sockets = createWebSockets({
        origins: { allowedOrigins: ['https://app.example'], development: false },
        ...(hosts && { hosts }),
        clock: clock ?? systemClock,
        log: pino({ level: 'silent' }),
        draining: draining.signal,
      });
      sockets.serve('/echo', handler);
      const server = createServer({ shouldUpgradeCallback: wantsWebSocket }, (_request, response) => response.end('plain'));
      server.on('upgrade', sockets.upgrade);
      started = { server, sockets };
      await once(server.listen(0, '127.0.0.1'), 'listening');
      return (server.address() as AddressInfo).port;
    },
    get sockets() {
      if (started === null) throw new Error('No server was started.');
      return started.sockets;
    },
    get clock() {
      return clock;
    },
    drain: () => draining.abort(),
  };
}

/** Opens a WebSocket at `/echo`. */
export async function openSocket(port: number, headers: Record<string, string> = {}): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/echo?x=1`, { headers });
  await once(socket, 'open');
  return socket;
}

/** How the socket is closed. */
export async function closeOf(socket: WebSocket): Promise<{ code: number; reason: string }> {
  socket.on('error', () => undefined);
  const [code, reason] = await once(socket, 'close');
  return { code, reason: String(reason) };
}

/** Sends an upgrade by hand and gives everything that comes back until the other side closes. */
export async function exchange(
  { port, path, host = 'here' }: { port: number; path: string; host?: string },
  headers: readonly string[],
): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const lines = [`GET ${path} HTTP/1.1`, `Host: ${host}`, 'Connection: Upgrade', ...headers, '', ''];
  socket.write(lines.join('\r\n'));
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}
