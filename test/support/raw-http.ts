import { type IncomingHttpHeaders, request as openRequest } from 'node:http';

export interface RawRequest {
  /** Of a server on loopback, for example `http://127.0.0.1:8000`. */
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
}

export interface RawReading {
  /** Gets the status line and headers before any byte of the body. */
  readonly onHead?: (head: RawHead) => void;
  /** Gets the body's bytes as they come; without it they are collected. */
  readonly onBytes?: (bytes: Buffer) => void;
  /** The socket is destroyed when this many bytes of the body are there; those behind are thrown away. */
  readonly cutAfter?: number;
  /** Destroys the socket. */
  readonly signal?: AbortSignal;
}

interface RawHead {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

/** What came, and how it stopped: `complete` as HTTP says, `cut` by us, `broken` by the other side. Status 0: no head came. */
export interface RawAnswer extends RawHead {
  readonly text: string;
  readonly stopped: 'complete' | 'cut' | 'broken';
}

/** Sends one request over a connection of its own and reads bytes; never rejects for what the other side does. */
export function sendRaw(request: RawRequest, reading: RawReading = {}): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const kept: Buffer[] = [];
    let head: RawHead = { status: 0, headers: {} };
    const body = request.body === undefined ? null : Buffer.from(JSON.stringify(request.body));
    const headers = { ...request.headers, ...(body && { 'content-type': 'application/json', 'content-length': String(body.length) }) };
    const { method, path } = request;
    const call = openRequest(new URL(path, request.url), { method, headers, agent: false });

    const finish = (stopped: RawAnswer['stopped']) => {
      reading.signal?.removeEventListener('abort', onAbort);
      resolve({ ...head, text: Buffer.concat(kept).toString(), stopped });
    };
    const cut = () => {
      finish('cut');
      call.destroy();
    };
    const onAbort = () => cut();
    reading.signal?.addEventListener('abort', onAbort);

    call.on('error', () => finish('broken'));
    call.on('response', (response) => {
      head = { status: response.statusCode ?? 0, headers: response.headers };
      reading.onHead?.(head);
      let left = reading.cutAfter ?? Number.POSITIVE_INFINITY;
      if (left === 0) return cut();
      response.on('data', (bytes: Buffer) => {
        if (left <= 0 || reading.signal?.aborted) return;
        const taken = bytes.subarray(0, left);
        left -= taken.length;
        if (reading.onBytes) reading.onBytes(taken);
        else kept.push(taken);
        if (left <= 0) cut();
      });
      response.on('error', () => finish('broken'));
      response.on('close', () => finish(response.complete ? 'complete' : 'broken'));
    });
    call.end(body ?? undefined);
    if (reading.signal?.aborted) cut();
  });
}
