import type { IncomingMessage } from 'node:http';
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { type ChunkReader, createChunkReader, readChunks } from './chunk-reader.ts';

const READ_BYTES = 65_536;
const SUCCESS = Buffer.from('HTTP/1.1 200 ');
const HEAD_END = '\r\n\r\n';

/** All connections read into the same memory: Node's HTTP parser takes what a read brought, and copies what it keeps of it, before the next read. */
const memory = Buffer.allocUnsafeSlow(READ_BYTES);

/**
 * The text of an answer's body, read from the connection itself. Node's HTTP parser sees the answer's head and its end, and not what lies
 * between them: it would make a buffer, an event and a tick of the loop of every chunk.
 */
export interface DirectBody {
  readonly line: Line;
  readonly chunks: ChunkReader;
  readonly decoder: StringDecoder;
  /** Gets the text of each read; null until somebody wants it. */
  take: ((text: string) => void) | null;
  /** While true nothing is taken. */
  held: boolean;
  /** What was read all the same. */
  kept: Buffer | null;
}

/** A connection, and the body that is read from it directly. */
interface Line {
  readonly socket: Socket;
  /** True while the parser gets a head and nothing of what follows it. */
  headAlone: boolean;
  body: DirectBody | null;
}

const lines = new WeakMap<Socket, Line>();
const bodies = new WeakMap<IncomingMessage, DirectBody>();

/** Connects for HTTP without encryption. Nothing is asked of the system's memory for a read, and given back behind it. */
export function connectPlain(options: NetConnectOpts): Socket {
  const callback = (bytes: number): boolean => {
    const read = memory.subarray(0, bytes);
    if (line.body === null) pass(line, read);
    else takeRead(line.body, read);
    return line.body === null || goesOn(line.body);
  };
  const socket = connect({ ...options, onread: { buffer: memory, callback } });
  const line: Line = { socket, headAlone: false, body: null };
  lines.set(socket, line);
  return socket;
}

/** Reads a successful answer's body directly if it comes in chunks over a plain connection, behind a head that came whole. Call as soon as that is parsed. */
export function readDirectly(response: IncomingMessage): void {
  const line = lines.get(response.socket);
  if (line?.headAlone !== true || response.statusCode !== 200 || response.headers['transfer-encoding'] !== 'chunked') return;
  line.body = { line, chunks: createChunkReader(), decoder: new StringDecoder('utf8'), take: null, held: true, kept: null };
  bodies.set(response, line.body);
}

/** The body of a response that is read directly. */
export function directBodyOf(response: IncomingMessage): DirectBody | undefined {
  return bodies.get(response);
}

/** Whether a response is read so. */
export function isReadDirectly(response: IncomingMessage): boolean {
  return bodies.has(response);
}

/** Goes on reading. */
export function resume(body: DirectBody): void {
  const { kept, line } = body;
  body.held = false;
  body.kept = null;
  if (kept !== null) takeRead(body, kept);
  if (!body.held) line.socket.resume();
}

/** Before somebody wants the text, one read of it may wait. */
function goesOn({ held, take, kept }: DirectBody): boolean {
  return !held || (take === null && (kept === null || kept.length < READ_BYTES));
}

/** Gives the parser a read, its head first where one begins with it: what follows that may be read directly. */
function pass(line: Line, read: Buffer): void {
  const isHead = read.length > SUCCESS.length && read.compare(SUCCESS, 0, SUCCESS.length, 0, SUCCESS.length) === 0;
  const headEnd = isHead ? read.indexOf(HEAD_END) : -1;
  if (headEnd === -1) {
    feed(line, read);
    return;
  }
  const start = headEnd + HEAD_END.length;
  line.headAlone = true;
  line.socket.emit('data', read.subarray(0, start));
  line.headAlone = false;
  if (start === read.length) return;
  const rest = read.subarray(start);
  if (line.body === null) feed(line, rest);
  else takeRead(line.body, rest);
}

/** Gives the parser bytes. Where none listens, they belong to no answer, and what follows them would be taken for the next one. */
function feed({ socket }: Line, bytes: Buffer): void {
  if (!socket.emit('data', bytes)) socket.destroy();
}

function takeRead(body: DirectBody, read: Buffer): void {
  if (body.held) {
    // A copy: others read into the same memory.
    body.kept = body.kept === null ? Buffer.from(read) : Buffer.concat([body.kept, read]);
    return;
  }
  const { line, chunks, decoder, take } = body;
  let text = '';
  let end: Buffer | null = null;
  try {
    end = readChunks(chunks, read, (data) => {
      text += decoder.write(data);
    });
  } catch (error) {
    line.body = null;
    line.socket.destroy(error instanceof Error ? error : new Error(String(error)));
  }
  if (end !== null) {
    line.body = null;
    text += decoder.end();
  }
  if (text !== '') take?.(text);
  if (end !== null && !line.socket.destroyed) line.socket.emit('data', end);
}
