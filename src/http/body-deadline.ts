import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../core/ports/clock.ts';
import { refuseRaw } from './client-error.ts';

/** How long a body may take to come. */
const BODY_MS = 10_000;

/** A route's own word on its bodies, as its `config`. */
export interface RouteBody {
  /** It reads files itself, as a stream, and bounds the time. */
  readonly streamsBody?: true;
}

/** Whether a request says that a body follows. */
export function announcesBody({ headers }: Pick<FastifyRequest, 'headers'>): boolean {
  const { 'content-length': length, 'transfer-encoding': encoding } = headers;
  return encoding !== undefined || (length !== undefined && length !== '0');
}

/** Closes a connection whose request does not come to its end in time; nearly all have come by now, and need no timer. */
export function boundBodyTime(request: FastifyRequest, reply: FastifyReply, clock: Pick<Clock, 'after'>): void {
  const { raw } = request;
  if (raw.complete || !announcesBody(request) || (request.routeOptions.config as RouteBody).streamsBody) return;
  const cancel = clock.after(BODY_MS, () => refuseSlow(reply));
  raw.once('end', cancel);
  raw.once('close', cancel);
}

/** Answers a request that comes too slowly and closes its connection. */
export function refuseSlow({ raw }: Pick<FastifyReply, 'raw'>): void {
  const { socket } = raw;
  if (!socket || raw.headersSent) socket?.destroy();
  else refuseRaw(socket, { status: 408, code: 'body_invalid', detail: 'The request came too slowly.' });
}
