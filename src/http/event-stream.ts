import type { FastifyReply } from 'fastify';
import type { Clock } from '../core/ports/clock.ts';
import type { Engine } from '../engine/index.ts';
import { setRateHeaders } from './rate-headers.ts';
import { checkNotRevoked, countConnection, onCredentialEnd } from './stream-permit.ts';

const TICK_MS = 5_000;
/** A stream on which nothing was written for this many ticks gets a comment: after 10 to 15 seconds. */
const PING_TICKS = 3;
/** A response whose unsent bytes did not shrink for this many ticks is cut off: after 30 to 35 seconds. */
const STALL_TICKS = 6;
const PING = ': ping\n\n';

/** One open SSE response, or one answer's share of a WebSocket. */
export interface EventStream {
  /** Aborts when the response is over: ended, cut off, or left by its client. */
  readonly signal: AbortSignal;
  /** True while the socket has more unsent bytes than it wants. */
  readonly needsDrain: boolean;
  /** Sends frames as `serializeFrame` made them. */
  write(frames: string | Buffer): void;
  /** Resolves when the socket wants more, or is over. */
  drained(): Promise<void>;
  /** Ends the response after everything written. */
  end(): void;
  /** Breaks the connection off, so that the client does not take it for the end. */
  destroy(): void;
}

/** Opens SSE responses and looks after all of them with one timer: pings the idle, cuts off those whose client stopped reading. */
export interface EventStreams {
  /** Open responses. */
  readonly size: number;
  /**
   * Counts the response among its caller's connections now, for requests that do something before they stream; `open` does so otherwise.
   * Throws `too_many_connections`.
   */
  admit(reply: FastifyReply): void;
  /**
   * Sends status 200 and the headers set on `reply`; the content type goes out exactly as given. Breaks the response off when its request's
   * credential is revoked or its time is over. Throws `too_many_connections` and `auth_revoked` before anything is sent.
   */
  open(reply: FastifyReply, options: { readonly contentType: string; readonly pings: boolean }): EventStream;
  /** Breaks all responses off that were not ended, and stops the timer. */
  close(): void;
}

interface OpenResponse {
  readonly stream: EventStream;
  readonly pings: boolean;
  unsentBytes(): number;
  hasEnded(): boolean;
  lastWriteTick: number;
  lastUnsent: number;
  stalledTicks: number;
}

/** Makes the one keeper of a process's SSE responses. */
export function createEventStreams({ clock, limits }: { clock: Clock; limits: Pick<Engine['limits'], 'connect'> }): EventStreams {
  const responses = new Set<OpenResponse>();
  let tick = 0;
  let cancelTimer: (() => void) | null = null;

  function onTick(): void {
    tick += 1;
    for (const response of responses) tend(response, tick);
    cancelTimer = responses.size > 0 ? clock.after(TICK_MS, onTick) : null;
  }

  function open(reply: FastifyReply, options: { contentType: string; pings: boolean }): EventStream {
    checkNotRevoked(reply);
    countConnection(reply, limits);
    const raw = startResponse(reply, options.contentType);
    const chunked = takeOverChunking(raw);
    const closed = new AbortController();
    const stream: EventStream = {
      signal: closed.signal,
      get needsDrain() {
        return raw.writableNeedDrain;
      },
      write(frames) {
        entry.lastWriteTick = tick;
        if (frames.length > 0 && !closed.signal.aborted && !raw.writableEnded) raw.write(chunked ? chunkOf(frames) : frames);
      },
      drained: () => waitForDrain(raw),
      end: () => void (raw.destroyed || raw.end(chunked ? LAST_CHUNK : '')),
      destroy: () => void raw.destroy(),
    };
    const entry: OpenResponse = {
      stream,
      pings: options.pings,
      unsentBytes: () => raw.writableLength,
      hasEnded: () => raw.writableEnded,
      lastWriteTick: tick,
      lastUnsent: 0,
      stalledTicks: 0,
    };
    responses.add(entry);
    cancelTimer ??= clock.after(TICK_MS, onTick);
    const onClose = () => {
      responses.delete(entry);
      closed.abort();
    };
    if (raw.destroyed) onClose();
    else raw.once('close', onClose);
    onCredentialEnd(reply, { clock, signal: closed.signal, callback: stream.destroy });
    return stream;
  }

  function close(): void {
    cancelTimer?.();
    cancelTimer = null;
    for (const response of responses) if (!response.hasEnded()) response.stream.destroy();
  }

  return {
    get size() {
      return responses.size;
    },
    admit: (reply) => countConnection(reply, limits),
    open,
    close,
  };
}

type RawResponse = FastifyReply['raw'];

function startResponse(reply: FastifyReply, contentType: string): RawResponse {
  reply.header('content-type', contentType).header('cache-control', 'no-cache').header('x-accel-buffering', 'no');
  setRateHeaders(reply);
  reply.hijack();
  const raw = reply.raw;
  // An unhandled 'error' of a response whose client left would end the process; 'close' follows it and says all there is to say.
  raw.on('error', () => undefined);
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value);
  raw.writeHead(200);
  raw.flushHeaders();
  return raw;
}

const LAST_CHUNK = '0\r\n\r\n';

/**
 * From here on chunks are framed here (RFC 9112 section 7.1): Node hands four pieces a chunk to the kernel, a turn later, which is the
 * largest part of a token's price. False for a client of HTTP/1.0, to whom the body goes as it is.
 */
function takeOverChunking(raw: RawResponse): boolean {
  const { chunkedEncoding } = raw;
  raw.chunkedEncoding = false;
  return chunkedEncoding;
}

let lastShared: { readonly body: Buffer; readonly chunk: Buffer } | null = null;

/** One chunk; what many readers get, each behind the other, is framed once. */
function chunkOf(body: string | Buffer): string | Buffer {
  if (typeof body === 'string') return `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n`;
  if (lastShared?.body !== body) lastShared = { body, chunk: Buffer.from(`${body.length.toString(16)}\r\n${body.toString()}\r\n`) };
  return lastShared.chunk;
}

function waitForDrain(raw: RawResponse): Promise<void> {
  return new Promise((resolve) => {
    if (!raw.writableNeedDrain || raw.destroyed) {
      resolve();
      return;
    }
    const done = () => {
      raw.off('drain', done).off('close', done);
      resolve();
    };
    raw.on('drain', done).on('close', done);
  });
}

function tend(response: OpenResponse, tick: number): void {
  const unsent = response.unsentBytes();
  response.stalledTicks = unsent > 0 && unsent >= response.lastUnsent ? response.stalledTicks + 1 : 0;
  response.lastUnsent = unsent;
  if (response.stalledTicks > STALL_TICKS) response.stream.destroy();
  else if (response.pings && unsent === 0 && tick - response.lastWriteTick >= PING_TICKS) response.stream.write(PING);
}
