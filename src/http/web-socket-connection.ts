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
  /** Whether the client has more unsent bytes before it than its connection wants. */
  needsDrain(): boolean;
  /** Resolves when the connection wants more, or is over. */
  drained(): Promise<void>;
  /** Sends a text frame. */
  send(text: string): void;
  /** Sends each line, without its line feed, as a text frame. */
  sendLines(lines: string | Buffer): void;
  close(code: CloseCode, reason: string): void;
  /** Calls back once when the connection is over or being closed, at once when it is. */
  onEnd(callback: () => void): void;
  /** Counts a ping, be it of WebSockets or a dialect's own; false when it is one too many, with which the connection closes (1008). */
  takePing(): boolean;
}

/** What was read from a connection so far, whatever it says. */
interface ReadCounts {
  frames: number;
  pongs: number;
}

/** A connection together with what its keeper needs to look after it. */
export interface KeptConnection extends WebSocketConnection {
  readonly socket: WebSocket;
  readonly counts: Readonly<ReadCounts>;
  unsentBytes(): number;
  /** From now on hands frames over, and reads no further while too many of them wait. */
  receive(receiver: FrameReceiver): void;
}

interface ConnectionParts {
  readonly socket: WebSocket;
  readonly raw: Socket;
  readonly clock: Clock;
  readonly onFault: (error: unknown) => void;
  /** Told when the connection is gone, with its close code. */
  readonly onClosed: (connection: KeptConnection, code: number) => void;
}

/** Everything about a connection that changes, in one object: there may be ten thousand of them. */
interface State {
  readonly socket: WebSocket;
  readonly raw: Socket;
  readonly clock: Clock;
  readonly over: AbortController;
  readonly counts: ReadCounts;
  readonly fail: (error: unknown) => void;
  receiver: FrameReceiver | null;
  /** Frames whose handling is under way, and bytes in them. */
  waiting: number;
  waitingBytes: number;
  pings: number;
  pingsSince: number;
  corked: boolean;
  draining: Promise<void> | null;
  /** Null when it is over. */
  endings: (() => void)[] | null;
}

const nothing = () => undefined;

/** Wraps an accepted WebSocket, which is not read before `receive`. */
export function createConnection({ socket, raw, clock, onFault, onClosed }: ConnectionParts): KeptConnection {
  const fail = (error: unknown) => {
    onFault(error);
    close(state, 1011, 'Something went wrong on this server');
  };
  const state = createState({ socket, raw, clock, fail });
  const connection: KeptConnection = {
    socket,
    signal: state.over.signal,
    counts: state.counts,
    needsDrain: () => raw.writableNeedDrain,
    unsentBytes: () => socket.bufferedAmount,
    drained: () => drained(state),
    send: (text) => write(state, [text]),
    sendLines: (lines) => write(state, cutLines(lines)),
    close: (code, reason) => close(state, code, reason),
    onEnd: (callback) => (state.endings ? void state.endings.push(callback) : callback()),
    takePing: () => takePing(state),
    receive(receiver) {
      state.receiver = receiver;
      socket.resume();
    },
  };
  socket.pause();
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    if (!state.over.signal.aborted) take(state, isBinary ? null : data);
  });
  socket.on('ping', (data: Buffer) => answerPing(state, data));
  socket.on('pong', () => {
    state.counts.pongs += 1;
  });
  // What is wrong with a frame has been answered with its close code; 'close' follows and says all there is to say.
  socket.on('error', nothing);
  socket.on('close', (code: number) => {
    end(state);
    onClosed(connection, code);
  });
  return connection;
}

function createState(parts: Pick<State, 'socket' | 'raw' | 'clock' | 'fail'>): State {
  return {
    ...parts,
    over: new AbortController(),
    counts: { frames: 0, pongs: 0 },
    receiver: null,
    waiting: 0,
    waitingBytes: 0,
    pings: 0,
    pingsSince: parts.clock.elapsed(),
    corked: false,
    draining: null,
    endings: [],
  };
}

function end(state: State): void {
  const { endings } = state;
  state.endings = null;
  state.over.abort();
  for (const callback of endings ?? []) callback();
}

function close(state: State, code: CloseCode, reason: string): void {
  end(state);
  state.socket.resume();
  state.socket.close(code, reason);
}

function write(state: State, frames: Iterable<string | Buffer>): void {
  const { socket } = state;
  if (socket.readyState !== socket.OPEN) return;
  if (socket.bufferedAmount > MAX_UNSENT) {
    close(state, 1013, 'Too slow; connect again and ask for the history');
    return;
  }
  gather(state);
  for (const frame of frames) socket.send(frame, { binary: false });
}

/** Makes everything that is written within one turn one write to the system: a frame per token would else be a system call per token. */
function gather(state: State): void {
  if (state.corked) return;
  state.corked = true;
  state.raw.cork();
  process.nextTick(uncork, state);
}

function uncork(state: State): void {
  state.corked = false;
  state.raw.uncork();
}

function answerPing(state: State, data: Buffer): void {
  const { socket, raw } = state;
  state.counts.frames += 1;
  if (!takePing(state)) return;
  // A client that pings without reading gets no pile of pongs: an endpoint may answer the latest ping only (RFC 6455 section 5.5.3).
  if (!raw.writableNeedDrain && socket.readyState === socket.OPEN) socket.pong(data);
}

/** Whether a ping is within bounds. Nobody's allowance is charged for pings: to answer one costs next to nothing. */
function takePing(state: State): boolean {
  const now = state.clock.elapsed();
  if (now - state.pingsSince >= PING_WINDOW_MS) {
    state.pingsSince = now;
    state.pings = 0;
  }
  state.pings += 1;
  if (state.pings <= MAX_PINGS) return true;
  if (!state.over.signal.aborted) close(state, 1008, 'Too many pings');
  return false;
}

/** Hands a frame over, and pauses the connection while too many of them are under way. */
function take(state: State, text: Buffer | null): void {
  state.counts.frames += 1;
  try {
    const handling = state.receiver?.(text);
    if (!handling) return;
    const bytes = text?.length ?? 0;
    state.waiting += 1;
    state.waitingBytes += bytes;
    if (isFull(state)) state.socket.pause();
    handling.catch(state.fail).finally(() => leave(state, bytes));
  } catch (error) {
    state.fail(error);
  }
}

function isFull({ waiting, waitingBytes }: State): boolean {
  return waiting >= MAX_WAITING_FRAMES || waitingBytes >= MAX_WAITING_BYTES;
}

function leave(state: State, bytes: number): void {
  state.waiting -= 1;
  state.waitingBytes -= bytes;
  if (state.socket.isPaused && !isFull(state)) state.socket.resume();
}

/** However many wait, the socket has one listener. */
function drained(state: State): Promise<void> {
  const { raw } = state;
  if (!raw.writableNeedDrain || raw.destroyed) return Promise.resolve();
  state.draining ??= new Promise((resolve) => {
    const done = () => {
      raw.off('drain', done).off('close', done);
      state.draining = null;
      resolve();
    };
    raw.on('drain', done).on('close', done);
  });
  return state.draining;
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
