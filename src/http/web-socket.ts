import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { parse } from 'node:querystring';
import type { Duplex } from 'node:stream';
import type { FastifyBaseLogger } from 'fastify';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Clock } from '../core/ports/clock.ts';
import type { LoadGauge } from '../core/ports/load.ts';
import { serverBusy } from '../core/refusals.ts';
import type { CredentialCarrier } from './authenticate.ts';
import { type Refusal, refuseRaw } from './client-error.ts';
import { isOriginAllowed, type OriginPolicy } from './cors.ts';
import { errorStatus } from './error-status.ts';
import { type HostPolicy, hostUnknown } from './host-policy.ts';
import { type SocketCounts, uncounted } from './socket-counts.ts';
import { createConnection, type FrameReceiver, type KeptConnection, type WebSocketConnection } from './web-socket-connection.ts';
import { createHeartbeat } from './web-socket-heartbeat.ts';

/** Largest message in bytes, all its fragments together; a larger one closes with 1009. */
const MAX_MESSAGE = 1_048_576;
/** Fragments that a message may come in; more close with 1008. */
const MAX_FRAGMENTS = 1_024;
const NOT_HERE: Refusal = { status: 404, code: 'route_not_found', detail: 'There is nothing at this address.' };
/** How long clients have to confirm a close. */
const CLOSE_MS = 2_000;

/** Begins a conversation on a WebSocket, and counts whether it did and what is said; frames are read once the receiver is there. */
export type WebSocketHandler = (
  connection: WebSocketConnection,
  request: CredentialCarrier,
  counts: SocketCounts,
) => Promise<FrameReceiver>;

/** Where front doors offer WebSockets. */
export interface WebSocketDoors {
  /** Accepts WebSockets at exactly this path; pages of foreign origins are refused before (403). */
  serve(path: string, handler: WebSocketHandler): void;
}

/** All WebSockets of a process. */
export interface WebSockets extends WebSocketDoors {
  /** Open connections. */
  readonly size: number;
  /** Answers the HTTP server's `upgrade` event. */
  upgrade(request: IncomingMessage, raw: Duplex, head: Buffer): void;
  /** Closes all connections with 1001 and resolves when they are gone. */
  close(): Promise<void>;
}

interface WebSocketsOptions {
  readonly origins: OriginPolicy;
  /** Without it handshakes may name any host. */
  readonly hosts?: HostPolicy;
  readonly clock: Clock;
  readonly log: FastifyBaseLogger;
  /** Aborted when the server is about to stop: it accepts no further WebSockets. */
  readonly draining: AbortSignal;
  /** While it says that the process is overloaded, no further WebSockets are accepted; without it all are. */
  readonly load?: LoadGauge;
  /** Counts at a path that is served, or null for all others together; without it nothing is counted. */
  readonly countsAt?: (path: string | null) => SocketCounts;
}

interface Door {
  readonly path: string;
  readonly handler: WebSocketHandler;
  readonly counts: SocketCounts;
}

const nothing = () => undefined;

/** Makes the one keeper of a process's WebSockets (RFC 6455). */
export function createWebSockets(options: WebSocketsOptions): WebSockets {
  const { origins, hosts, clock, log, draining, load, countsAt = () => uncounted } = options;
  const doors = new Map<string, Door>();
  const nowhere = countsAt(null);
  const heartbeat = createHeartbeat(clock);
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    autoPong: false,
    maxPayload: MAX_MESSAGE,
    maxFragments: MAX_FRAGMENTS,
  });
  const onFault = (err: unknown) => log.error({ err }, 'a WebSocket failed');

  function accept({ path, handler, counts }: Door, request: IncomingMessage, { socket, raw }: { socket: WebSocket; raw: Duplex }): void {
    const { query } = addressOf(request);
    const since = clock.now();
    const onClosed = (closed: KeptConnection, code: number) => {
      heartbeat.remove(closed);
      log.info({ path, code, duration_ms: clock.now() - since }, 'WebSocket closed');
    };
    const connection = createConnection({ socket, raw: raw as Socket, clock, onFault, onClosed });
    heartbeat.add(connection);
    handler(connection, { raw: request, query }, counts).then(connection.receive, (error: unknown) => {
      onFault(error);
      connection.close(1011, 'Something went wrong on this server');
    });
  }

  function refusalOf(request: IncomingMessage): Refusal | null {
    if (hosts && !hosts(request.headers.host)) return { status: 421, code: 'host_unknown', detail: hostUnknown().message };
    if (!isFromHere(request, origins)) {
      return { status: 403, code: 'scope_denied', detail: 'Pages of this origin may not connect; see ALLOWED_ORIGINS.' };
    }
    if (draining.aborted) return { status: 503, code: 'draining', detail: 'This server is about to stop.', retryAfterSeconds: 5 };
    return load?.level() === 'overloaded' ? busyRefusal() : null;
  }

  function upgrade(request: IncomingMessage, raw: Duplex, head: Buffer): void {
    // An unhandled 'error' of a client that left would end the process.
    raw.on('error', nothing);
    const door = doors.get(addressOf(request).path);
    const refusal = door ? refusalOf(request) : NOT_HERE;
    const counts = door?.counts ?? nowhere;
    if (refusal) {
      counts.admitted(refusal.code);
      refuseRaw(raw, refusal);
    } else if (door && !shakesHands(request, { raw, head }, door)) counts.admitted('request_invalid');
  }

  /** Whether the request was fit to become a WebSocket; one that is not has been answered. */
  function shakesHands(request: IncomingMessage, { raw, head }: { raw: Duplex; head: Buffer }, door: Door): boolean {
    let accepted = false;
    // Calls back before it returns, or never.
    server.handleUpgrade(request, raw, head, (socket) => {
      accepted = true;
      accept(door, request, { socket, raw });
    });
    return accepted;
  }

  return {
    get size() {
      return heartbeat.size;
    },
    serve: (path, handler) => void doors.set(path, { path, handler, counts: countsAt(path) }),
    upgrade,
    close: () => closeAll(heartbeat.all(), clock),
  };
}

function busyRefusal(): Refusal {
  const { code, message: detail, retryAfterSeconds } = serverBusy();
  return { status: errorStatus[code], code, detail, retryAfterSeconds };
}

/** Whether a request wants to become a WebSocket; what wants to become something else, such as HTTP/2, stays a plain request. */
export function wantsWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';
}

function addressOf({ url = '' }: IncomingMessage): { path: string; query: object } {
  const at = url.indexOf('?');
  const path = at < 0 ? url : url.slice(0, at);
  return { path: path.replace(/\/$/, ''), query: parse(at < 0 ? '' : url.slice(at + 1)) };
}

/** No `Origin`: no browser. A browser's must be the server's own or allowed. */
function isFromHere({ headers }: IncomingMessage, policy: OriginPolicy): boolean {
  const { origin, host } = headers;
  if (origin === undefined || isOriginAllowed(origin, policy)) return true;
  return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);
}

async function closeAll(connections: Iterable<KeptConnection>, clock: Clock): Promise<void> {
  const open = [...connections];
  const gone = open.map(({ socket }) => new Promise<void>((resolve) => socket.once('close', () => resolve())));
  for (const connection of open) connection.close(1001, 'The server is stopping');
  const cancel = clock.after(CLOSE_MS, () => {
    for (const { socket } of open) socket.terminate();
  });
  await Promise.all(gone);
  cancel();
}
