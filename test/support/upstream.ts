import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** One thing an upstream does while it answers, in order. */
export type Step =
  | { readonly head: number; readonly headers?: Readonly<Record<string, string>> }
  /** Bytes as they are, in one write. */
  | { readonly raw: string | Uint8Array }
  /** One stream chunk with this delta. */
  | { readonly delta: object; readonly finish?: string }
  | { readonly waitMs: number }
  | { readonly until: Promise<void> }
  | { readonly end: true }
  /** Destroys the connection. */
  | { readonly cut: true }
  /** Leaves the answer open. */
  | { readonly hang: true };

interface UpstreamRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
  /** Resolves when the connection of this request was closed before its answer was complete. */
  readonly closedEarly: Promise<void>;
}

export interface Upstream {
  /** Up to and with `/v1`. */
  readonly baseUrl: string;
  readonly requests: readonly UpstreamRequest[];
  /** The client's port of each request: the same for those that share a connection. */
  ports(): readonly number[];
  /** Bytes that were given away to connections. */
  sentBytes(): number;
  close(): Promise<void>;
}

/** A chunk of a stream as OpenAI writes it. */
export function chunkLine(delta: object, finish: string | null = null): string {
  return `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
}

/** The steps of an ordinary streamed answer, one write for each piece. */
export function answer(pieces: readonly string[], options: { usage?: [number, number]; finish?: string } = {}): Step[] {
  const steps: Step[] = [{ head: 200, headers: { 'content-type': 'text/event-stream' } }];
  for (const content of pieces) steps.push({ delta: { content } });
  steps.push({ delta: {}, finish: options.finish ?? 'stop' });
  if (options.usage !== undefined) {
    const [prompt, completion] = options.usage;
    steps.push({
      raw: `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion } })}\n\n`,
    });
  }
  steps.push({ raw: 'data: [DONE]\n\n' }, { end: true });
  return steps;
}

/** The steps of an error in OpenAI's shape. */
export function refuse(status: number, message: string, headers: Record<string, string> = {}): Step[] {
  const body = JSON.stringify({ error: { message, type: 'error', param: null, code: null } });
  return [{ head: status, headers: { 'content-type': 'application/json', ...headers } }, { raw: body }, { end: true }];
}

/** Starts an OpenAI-compatible server on loopback that plays one script for each request, the last one again and again. */
export async function startUpstream(...scripts: readonly (readonly Step[])[]): Promise<Upstream> {
  const requests: UpstreamRequest[] = [];
  const ports: number[] = [];
  const sockets = new Set<Socket>();
  const stop = new AbortController();
  const server = createServer((request, response) => {
    const script = scripts[Math.min(requests.length, scripts.length - 1)] ?? [];
    const closedEarly = new Promise<void>((resolve) => {
      response.once('close', () => {
        if (!response.writableFinished) resolve();
      });
    });
    const slot = requests.length;
    ports.push(request.socket.remotePort ?? 0);
    sockets.add(request.socket);
    requests.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers, body: null, closedEarly });
    readBody(request)
      .then((body) => {
        requests[slot] = { ...(requests[slot] as UpstreamRequest), body };
        return play(script, response, stop.signal);
      })
      .catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    ports: () => ports,
    sentBytes: () => [...sockets].reduce((sum, { bytesWritten, writableLength }) => sum + bytesWritten - writableLength, 0),
    close: () =>
      new Promise((resolve, reject) => {
        stop.abort();
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  let text = '';
  request.setEncoding('utf8');
  for await (const piece of request) text += piece;
  return text === '' ? null : JSON.parse(text);
}

async function play(script: readonly Step[], response: ServerResponse, signal: AbortSignal): Promise<void> {
  const closed = new Promise<void>((resolve) => response.once('close', resolve));
  response.on('error', () => response.destroy());
  // A copy: a test may script the next answer while this one is given.
  for (const step of [...script]) {
    if (signal.aborted || response.destroyed || 'hang' in step) return;
    await Promise.race([perform(step, response, signal), closed]);
  }
}

function perform(step: Step, response: ServerResponse, signal: AbortSignal): Promise<unknown> | unknown {
  if ('head' in step) return response.writeHead(step.head, step.headers).flushHeaders();
  if ('raw' in step) return write(response, step.raw);
  if ('delta' in step) return write(response, chunkLine(step.delta, step.finish ?? null));
  if ('waitMs' in step) return pause(step.waitMs, signal);
  if ('until' in step) return step.until;
  return 'cut' in step ? response.socket?.destroy() : response.end();
}

/** Resolves a turn after the bytes are out of our hands, so that the other side often reads each write by itself. */
function write(response: ServerResponse, bytes: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => response.write(bytes, () => setImmediate(resolve)));
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
