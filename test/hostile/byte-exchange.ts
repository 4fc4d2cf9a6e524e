import { connect } from 'node:net';

/** An answer as it came over the wire. */
export interface RawAnswer {
  /** 0 when the connection was closed without one. */
  readonly status: number;
  /** Header lines, names in lower case, in the order they came. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

/** One request, every byte of it the test's own. */
export interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string | Uint8Array;
  /** False: neither `Content-Length` nor `Transfer-Encoding` is added for the body. */
  readonly framed?: boolean;
}

/** How long a stream that stays open is read. */
const STREAM_MS = 150;
const PATIENCE_MS = 15_000;

/** The value of a header, null without it. */
export function headerOf(answer: RawAnswer, name: string): string | null {
  return answer.headers.find(([known]) => known === name)?.[1] ?? null;
}

/** The bytes of a request that asks to close the connection. */
export function requestBytes({ method, path, headers = [], body = '', framed = true }: RawRequest): Buffer {
  const content = Buffer.from(body);
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'Host: localhost',
    'Connection: close',
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ];
  if (framed && (content.length > 0 || !['GET', 'HEAD', 'DELETE'].includes(method))) lines.push(`Content-Length: ${content.length}`);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), content]);
}

/**
 * Writes bytes to a server, and `rest` when it is there, and reads until the server closes the connection; an event stream that stays open is
 * left after 150 ms. Rejects when the server does neither answer nor close within 15 s.
 */
export function exchangeBytes(url: string, bytes: Uint8Array, rest?: Promise<Uint8Array>): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const patience = setTimeout(() => socket.destroy(new Error('no answer')), PATIENCE_MS);
    let streaming: NodeJS.Timeout | null = null;
    let failure: Error | null = null;
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (streaming === null && /\r\ncontent-type: text\/event-stream/i.test(chunk.toString('latin1'))) {
        streaming = setTimeout(() => socket.destroy(), STREAM_MS);
      }
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // A server that refuses a body closes while it is still being written.
      if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') failure = error;
    });
    socket.on('close', () => {
      clearTimeout(patience);
      if (streaming !== null) clearTimeout(streaming);
      if (failure) reject(failure);
      else resolve(parseAnswer(Buffer.concat(chunks)));
    });
    socket.write(bytes);
    rest?.then((last) => socket.write(last), reject);
  });
}

/** Sends one request on a connection of its own. */
export function exchange(url: string, request: RawRequest): Promise<RawAnswer> {
  return exchangeBytes(url, requestBytes(request));
}

function parseAnswer(bytes: Buffer): RawAnswer {
  const cut = bytes.indexOf('\r\n\r\n');
  if (cut < 0) return { status: 0, headers: [], body: '' };
  const [first = '', ...lines] = bytes.subarray(0, cut).toString('latin1').split('\r\n');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  const chunked = headers.some(([name, value]) => name === 'transfer-encoding' && value === 'chunked');
  const content = bytes.subarray(cut + 4);
  return { status: Number(first.split(' ')[1]), headers, body: (chunked ? joinChunks(content) : content).toString() };
}

function joinChunks(bytes: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const size = lineEnd < 0 ? 0 : Number.parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16);
    if (size === 0) break;
    pieces.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
  return Buffer.concat(pieces);
}
