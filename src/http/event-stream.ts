import type { Writable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../core/ports/clock.ts';
import type { Engine } from '../engine/index.ts';
import { letGoOfParser } from './http-parser.ts';
import { setRateHeaders } from './rate-headers.ts';
import { checkNotRevoked, countConnection, onCredentialEnd } from './stream-permit.ts';
import { visitOf } from './visit.ts';

const TICK_MS = 5_000;
/** A stream on which nothing was written for this many ticks gets a comment: after 10 to 15 seconds. */
const PING_TICKS = 3;
/** A response whose unsent bytes did not shrink for this many ticks is cut off: after 30 to 35 seconds. */
const STALL_TICKS = 6;
const PING = ': ping\n\n';
/** Made once: an abort without a reason makes an error with a stack. */
const OVER = new Error('The response is over');
const NO_HEADERS: string[] = [];
const NO_FIELDS = {};

/** One open SSE response, or one answer's share of a WebSocket. */
export interface EventStream {
  /** Aborts when the response is over: ended, cut off, or left by its client. */
  readonly signal: AbortSignal;
  /** Whether the socket has more unsent bytes than it wants. */
  needsDrain(): boolean;
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
  open(reply: FastifyReply, options: StreamOptions): EventStream;
  /** Breaks all responses off that were not ended, and stops the timer. */
  close(): void;
  /** Breaks those off too whose end their client has not taken: the HTTP server does not know connections without a parser. */
  cut(): void;
}

interface StreamOptions {
  readonly contentType: string;
  readonly pings: boolean;
  /** Whether it mostly lasts until its client leaves: its connection then serves no other request, and takes less memory. */
  readonly lasting?: boolean;
}

interface OpenResponse {
  readonly raw: RawResponse;
  /** Where its body is written to. */
  readonly sink: Sink;
  /** Whether nothing more may be written. */
  over: boolean;
  /** Whether its body goes in chunks, which are framed here. */
  readonly chunked: boolean;
  readonly pings: boolean;
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

  function open(reply: FastifyReply, { contentType, pings, lasting = false }: StreamOptions): EventStream {
    checkNotRevoked(reply);
    countConnection(reply, limits);
    const raw = lasting ? startLastResponse(reply, contentType) : startResponse(reply, contentType);
    const closed = new AbortController();
    const chunked = takeOverChunking(raw);
    const sink = sinkOf(raw);
    const response: OpenResponse = { raw, sink, over: false, chunked, pings, lastWriteTick: tick, lastUnsent: 0, stalledTicks: 0 };
    const stream: EventStream = {
      signal: closed.signal,
      needsDrain: () => sink.writableNeedDrain,
      write(frames) {
        response.lastWriteTick = tick;
        if (frames.length > 0 && !response.over && sink.writable) sink.write(chunked ? chunkOf(frames) : frames);
      },
      drained: () => waitForDrain(raw, sink),
      end() {
        response.over = true;
        if (!raw.destroyed) raw.end(chunked ? LAST_CHUNK : '');
      },
      destroy: () => void raw.destroy(),
    };
    responses.add(response);
    cancelTimer ??= clock.after(TICK_MS, onTick);
    let forget: (() => void) | null = null;
    const onClose = () => {
      responses.delete(response);
      response.over = true;
      forget?.();
      closed.abort(OVER);
    };
    if (raw.destroyed) onClose();
    else {
      raw.on('close', onClose);
      forget = onCredentialEnd(reply, clock, stream.destroy);
    }
    return stream;
  }

  function close(): void {
    cancelTimer?.();
    cancelTimer = null;
    for (const { raw } of responses) if (!raw.writableEnded) raw.destroy();
  }

  return {
    get size() {
      return responses.size;
    },
    admit: (reply) => countConnection(reply, limits),
    open,
    close,
    cut: () => responses.forEach(({ raw }) => void raw.destroy()),
  };
}

type RawResponse = FastifyReply['raw'];
type Sink = Pick<Writable, 'write' | 'writable' | 'writableNeedDrain' | 'on' | 'off'>;

const nothing = () => undefined;

function startResponse(reply: FastifyReply, contentType: string): RawResponse {
  reply.header('content-type', contentType).header('cache-control', 'no-cache').header('x-accel-buffering', 'no');
  setRateHeaders(reply);
  reply.hijack();
  const { raw, request } = reply;
  letGo(raw);
  // An unhandled 'error' of a response whose client left would end the process; 'close' follows it and says all there is to say.
  raw.on('error', nothing);
  // All at once, so that Node keeps only the bytes.
  raw.writeHead(
    200,
    Object.entries(reply.getHeaders()).flatMap(([name, value]) => (value === undefined ? [] : [name, value])),
  );
  raw.flushHeaders();
  visitOf(request).streamed = true;
  forgetHeaders(request.raw);
  return raw;
}

/** The last response on its connection. */
function startLastResponse(reply: FastifyReply, contentType: string): RawResponse {
  const raw = startResponse(reply.header('connection', 'close'), contentType);
  if (raw.socket && raw.req.complete) letGoOfParser(raw.socket);
  return raw;
}

/** What Fastify wants to do at the end of a response is nothing for one that it has handed over, and would keep its request that long. */
function letGo(raw: RawResponse): void {
  for (const listener of raw.listeners('error')) raw.off('error', listener as () => void).off('finish', listener as () => void);
}

/** A stream may last for hours, in which what its request said, credentials among it, is of no more use. */
function forgetHeaders(request: FastifyRequest['raw']): void {
  request.rawHeaders = NO_HEADERS;
  request.headers = NO_FIELDS;
  request.headersDistinct = NO_FIELDS;
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

/** One chunk; what many readers get, each behind the other, is framed once. Nothing is no chunk: that would be the end. */
function chunkOf(body: string | Buffer): string | Buffer {
  if (typeof body === 'string') return `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n`;
  if (lastShared?.body !== body) lastShared = { body, chunk: Buffer.from(`${body.length.toString(16)}\r\n${body.toString()}\r\n`) };
  return lastShared.chunk;
}

/**
 * A body goes to the socket itself: the response would keep each piece for the end of the turn, to gather what comes besides, and nothing does.
 * Behind another response on its connection it has no socket yet.
 */
function sinkOf(raw: RawResponse): Sink {
  return raw.socket ?? raw;
}

function waitForDrain(raw: RawResponse, sink: Sink): Promise<void> {
  return new Promise((resolve) => {
    if (!sink.writableNeedDrain || raw.destroyed) {
      resolve();
      return;
    }
    const done = () => {
      sink.off('drain', done);
      raw.off('close', done);
      resolve();
    };
    sink.on('drain', done);
    raw.on('close', done);
  });
}

function tend(response: OpenResponse, tick: number): void {
  const { raw } = response;
  const unsent = raw.writableLength;
  response.stalledTicks = unsent > 0 && unsent >= response.lastUnsent ? response.stalledTicks + 1 : 0;
  response.lastUnsent = unsent;
  if (response.stalledTicks > STALL_TICKS) raw.destroy();
  else if (response.pings && unsent === 0 && !response.over && tick - response.lastWriteTick >= PING_TICKS) {
    response.lastWriteTick = tick;
    response.sink.write(response.chunked ? chunkOf(PING) : PING);
  }
}
