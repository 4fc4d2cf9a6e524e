import { connect, type Socket } from 'node:net';
import { createAnswerReader } from './http-answer.ts';

/** Where a load goes, and the token it shows. */
export interface Place {
  readonly url: string;
  readonly token: string;
}

export interface Request {
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  readonly body?: object;
}

/** An answer on its way. */
export interface Answer {
  /** Resolves at the answer's end; rejects when it is no success or is cut. */
  readonly ended: Promise<void>;
}

const free = new Map<string, Socket[]>();

function socketTo(url: string): Socket {
  const kept = free.get(url)?.pop();
  if (kept) return kept;
  const { hostname, port } = new URL(url);
  return connect(Number(port), hostname).setNoDelay().setEncoding('latin1');
}

function keep(url: string, socket: Socket): void {
  socket.removeAllListeners();
  const kept = free.get(url) ?? [];
  free.set(url, kept);
  kept.push(socket);
  const forget = () => {
    const at = kept.indexOf(socket);
    if (at >= 0) kept.splice(at, 1);
  };
  socket.on('error', forget).on('close', forget);
}

function write({ url, token }: Place, { method = 'POST', path, body }: Request): string {
  const text = body === undefined ? '' : JSON.stringify(body);
  const content = body && `Content-Type: application/json\r\nContent-Length: ${text.length}\r\n`;
  return `${method} ${path} HTTP/1.1\r\nHost: ${new URL(url).host}\r\nAuthorization: Bearer ${token}\r\n${content ?? ''}\r\n${text}`;
}

/** One request (ASCII only) on a connection that is kept; resolves when its answer has begun well, and hands over its text. */
export function begin(place: Place, request: Request, onText: (text: string) => void): Promise<Answer> {
  const socket = socketTo(place.url);
  socket.removeAllListeners();
  const ended = Promise.withResolvers<void>();
  return new Promise((resolve, reject) => {
    let status = 0;
    let refusal = '';
    const fail = (error: unknown) => {
      reject(error);
      ended.reject(error);
      socket.destroy();
    };
    // Who waits for the beginning only must not be surprised by the end.
    ended.promise.catch(() => undefined);
    const reader = createAnswerReader({
      onStatus(given) {
        status = given;
        if (status < 300) resolve({ ended: ended.promise });
      },
      onText(text) {
        if (status < 300) onText(text);
        else refusal += text;
      },
      onEnd(reusable) {
        if (reusable) keep(place.url, socket);
        else socket.destroy();
        if (status < 300) ended.resolve();
        else fail(new Error(`${request.path}: ${status} ${refusal.slice(0, 300)}`));
      },
    });
    socket.on('data', (data: string) => {
      try {
        reader.add(data);
      } catch (error) {
        fail(error);
      }
    });
    socket.on('error', fail).on('close', () => fail(new Error(`${request.path}: the connection closed before the answer was whole`)));
    socket.write(write(place, request), 'latin1');
  });
}

/** An answer's text in the pieces in which it comes; rejects with what `onText` throws. */
export async function readText(place: Place, request: Request, onText: (text: string) => void): Promise<void> {
  await (await begin(place, request, onText)).ended;
}

/** An answer that comes whole. */
export async function json<Body = Record<string, unknown>>(place: Place, request: Request): Promise<Body> {
  let text = '';
  await readText(place, request, (piece) => {
    text += piece;
  });
  return JSON.parse(text) as Body;
}

type OnData = (data: string, event: string) => boolean;

/** One frame's data to `onData`; true when that says that the answer is over. */
function takeFrame(frame: string, onData: OnData): boolean {
  if (frame.startsWith('data: ')) return onData(frame.slice(6), 'message');
  const start = frame.indexOf('\ndata: ');
  return start >= 0 && onData(frame.slice(start + 7), /^event: (.*)$/m.exec(frame)?.[1] ?? 'message');
}

/** Hands over each event's data; resolves when `onData` has said once that the answer is over, rejects when the stream ends without or goes on. */
export async function readEvents(place: Place, request: Request, onData: OnData): Promise<void> {
  let rest = '';
  let over = false;
  await readText(place, request, (piece) => {
    rest += piece;
    let from = 0;
    for (let at = rest.indexOf('\n\n'); at !== -1; at = rest.indexOf('\n\n', from)) {
      if (over) throw new Error(`Behind the last frame came ${rest.slice(from, at)}`);
      over = takeFrame(rest.slice(from, at), onData);
      from = at + 2;
    }
    rest = rest.slice(from);
  });
  if (!over) throw new Error(`${request.path}: the stream ended without its last frame`);
}
