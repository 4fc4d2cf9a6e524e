import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Clock } from '../core/ports/clock.ts';

/** A connection with more than this many unsent bytes is given nothing more. */
const MAX_UNSENT = 1_048_576;
/** Frames, and bytes in them, that may wait for their handling before the connection is not read for a while. */
const MAX_WAITING_FRAMES = 64;
const MAX_WAITING_BYTES = 1_048_576;
const LINE_FEED = 0x0a;
/** Pings in a window of so many milliseconds; a client that sends more is closed. */
const MAX_PINGS = 100;
const PING_WINDOW_MS = 10_000;

/** Close codes (RFC 6455 section 7.4.1 and the IANA registry). */
type CloseCode = 1000 | 1001 | 1008 | 1011 | 1013;

/** Takes one frame: the bytes of a text, which are valid UTF-8, or null for a binary frame. */
export type FrameReceiver = (text: Buffer | null) => void | Promise<void>;

/** One open WebSocket, as a dialect sees it. */
export interface WebSocketConnection {
  /** Aborts when the connection is over or being closed. */
  readonly signal: AbortSignal;
  /** True while the client has more unsent bytes before it than its connection wants. */
  readonly needsDrain: boolean;
  /** Resolves when the connection wants more, or is over. */
  drained(): Promise<void>;
  /** Sends a text frame. */
  send(text: string): void;
  /** Sends each line, without its line feed, as a text frame. */
  sendLines(lines: string | Buffer): void;
  close(code: CloseCode, reason: string): void;
  /** Counts a ping, be it of WebSockets or a dialect's own; false when it is one too many, with which the connection closes (1008). */
  takePing(): boolean;
}

/** A connection together with what its keeper needs to look after it. */
export interface KeptConnection extends WebSocketConnection {
  readonly socket: WebSocket;
  unsentBytes(): number;
  /** Frames and pings read so far, whatever they say. */
  readonly framesRead: number;
  readonly pongsRead: number;
  /** From now on hands frames over, and reads no further while too many of them wait. */
  receive(receiver: FrameReceiver): void;
}

interface ConnectionParts {
  readonly socket: WebSocket;
  readonly raw: Socket;
  readonly clock: Clock;
  readonly onFault: (error: unknown) => void;
}

/** Wraps an accepted WebSocket, which is not read before `receive`. */
export function createConnection({ socket, raw, clock, onFault }: ConnectionParts): KeptConnection {
  const over = new AbortController();
  const inbox = createInbox(socket, fail);
  const fits = createPingBound(clock);
  let pongsRead = 0;
  socket.pause();
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    if (!over.signal.aborted) inbox.take(isBinary ? null : data);
  });
  socket.on('ping', (data: Buffer) => {
    inbox.count();
    if (!takePing()) return;
    // A client that pings without reading gets no pile of pongs: an endpoint may answer the latest ping only (RFC 6455 section 5.5.3).
    if (!raw.writableNeedDrain && socket.readyState === socket.OPEN) socket.pong(data);
  });
  socket.on('pong', () => {
    pongsRead += 1;
  });
  // What is wrong with a frame has been answered with its close code; 'close' follows and says all there is to say.
  socket.on('error', () => undefined);
  socket.once('close', () => over.abort());

  function takePing(): boolean {
    if (fits()) return true;
    if (!over.signal.aborted) close(1008, 'Too many pings');
    return false;
  }
  function fail(error: unknown): void {
    onFault(error);
    close(1011, 'Something went wrong on this server');
  }
  function close(code: CloseCode, reason: string): void {
    over.abort();
    socket.resume();
    socket.close(code, reason);
  }

  return {
    socket,
    signal: over.signal,
    get needsDrain() {
      return raw.writableNeedDrain;
    },
    get framesRead() {
      return inbox.framesRead;
    },
    get pongsRead() {
      return pongsRead;
    },
    unsentBytes: () => socket.bufferedAmount,
    takePing,
    drained: createDrained(raw),
    ...createWriter({ socket, raw, close }),
    close,
    receive: inbox.open,
  };
}

interface WriterParts extends Pick<WebSocketConnection, 'close'> {
  readonly socket: WebSocket;
  readonly raw: Socket;
}

function createWriter({ socket, raw, close }: WriterParts): Pick<WebSocketConnection, 'send' | 'sendLines'> {
  const gather = createGatherer(raw);
  function write(frames: Iterable<string | Buffer>): void {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > MAX_UNSENT) {
      close(1013, 'Too slow; connect again and ask for the history');
      return;
    }
    gather();
    for (const frame of frames) socket.send(frame, { binary: false });
  }
  return { send: (text) => write([text]), sendLines: (lines) => write(cutLines(lines)) };
}

/** Tells of each ping whether it is within bounds. Nobody's allowance is charged for pings: to answer one costs next to nothing. */
function createPingBound(clock: Clock): () => boolean {
  let since = clock.elapsed();
  let pings = 0;
  return () => {
    if (clock.elapsed() - since >= PING_WINDOW_MS) {
      since = clock.elapsed();
      pings = 0;
    }
    pings += 1;
    return pings <= MAX_PINGS;
  };
}

/** Hands frames over as they come, and pauses the connection while too many of them are under way. */
function createInbox(socket: WebSocket, onFault: (error: unknown) => void) {
  let receiver: FrameReceiver | null = null;
  let framesRead = 0;
  let waiting = 0;
  let waitingBytes = 0;

  function isFull(): boolean {
    return waiting >= MAX_WAITING_FRAMES || waitingBytes >= MAX_WAITING_BYTES;
  }
  function leave(bytes: number): void {
    waiting -= 1;
    waitingBytes -= bytes;
    if (socket.isPaused && !isFull()) socket.resume();
  }

  return {
    get framesRead() {
      return framesRead;
    },
    count(): void {
      framesRead += 1;
    },
    open(given: FrameReceiver): void {
      receiver = given;
      socket.resume();
    },
    take(text: Buffer | null): void {
      framesRead += 1;
      try {
        const handling = receiver?.(text);
        if (!handling) return;
        const bytes = text?.length ?? 0;
        waiting += 1;
        waitingBytes += bytes;
        if (isFull()) socket.pause();
        handling.catch(onFault).finally(() => leave(bytes));
      } catch (error) {
        onFault(error);
      }
    },
  };
}

/** Makes everything that is written within one turn one write to the system: a frame per token would else be a system call per token. */
function createGatherer(raw: Socket): () => void {
  let corked = false;
  return () => {
    if (corked) return;
    corked = true;
    raw.cork();
    process.nextTick(() => {
      corked = false;
      raw.uncork();
    });
  };
}

/** However many wait, the socket has one listener. */
function createDrained(raw: Socket): () => Promise<void> {
  let draining: Promise<void> | null = null;
  return () => {
    if (!raw.writableNeedDrain || raw.destroyed) return Promise.resolve();
    draining ??= new Promise((resolve) => {
      const done = () => {
        raw.off('drain', done).off('close', done);
        draining = null;
        resolve();
      };
      raw.on('drain', done).on('close', done);
    });
    return draining;
  };
}

function* cutLines(lines: string | Buffer): Generator<string | Buffer> {
  if (typeof lines === 'string') {
    for (const line of lines.split('\n')) if (line !== '') yield line;
    return;
  }
  let from = 0;
  for (let to = lines.indexOf(LINE_FEED); to >= 0; to = lines.indexOf(LINE_FEED, from)) {
    yield lines.subarray(from, to);
    from = to + 1;
  }
}
