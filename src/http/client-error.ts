import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionError } from 'fastify';
import type { ErrorCode } from '../core/errors.ts';
import { statusTitle } from './status-title.ts';

/** Answers bytes that are no HTTP request, or that came too slowly or with too many headers, and closes the connection. */
export function answerClientError(error: ConnectionError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  refuseRaw(socket, { status: statusOf(error.code), code: 'body_invalid', detail: 'The request could not be read as HTTP.' });
}

/** An HTTP answer without a framework. */
export interface Refusal {
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly retryAfterSeconds?: number | undefined;
}

/** Answers in native words on a connection that the HTTP server has handed over, and closes it. */
export function refuseRaw(socket: Duplex, { status, code, detail, retryAfterSeconds }: Refusal): void {
  const title = statusTitle(status);
  const requestId = randomUUID();
  const body = JSON.stringify({
    type: 'about:blank',
    title,
    status,
    detail,
    code,
    request_id: requestId,
  });
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${requestId}`,
    'Connection: close',
    ...(retryAfterSeconds === undefined ? [] : [`Retry-After: ${retryAfterSeconds}`]),
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

function statusOf(code: string): number {
  if (code === 'HPE_HEADER_OVERFLOW') return 431;
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
}
