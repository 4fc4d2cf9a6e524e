import type { FastifyInstance } from 'fastify';
import type { Clock } from '../core/ports/clock.ts';
import { visitOf } from './visit.ts';

/** The status under which requests are told whose client left before the answer, as nginx names it. */
const CLIENT_LEFT = 499;

/** A request whose answer is over. */
export interface Answered {
  readonly requestId: string;
  readonly method: string;
  /** The pattern and not the address: whatever somebody writes into an address, a secret say, stays out of logs. Null without a route. */
  readonly route: string | null;
  readonly status: number;
  readonly durationMs: number;
  /** Whether it went on as an event stream. */
  readonly streamed: boolean;
}

/** Tells of every request of this server from now on, once, when its answer has gone out or its client has left. */
export function onAnswered(app: FastifyInstance, clock: Pick<Clock, 'elapsed'>, tell: (answered: Answered) => void): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { id: requestId, method, raw: asked } = request;
    const { raw } = reply;
    const route = request.routeOptions.url ?? null;
    const since = clock.elapsed();
    // Holds nothing of the framework, because a stream may last for hours.
    raw.on('close', () => {
      const status = raw.headersSent ? raw.statusCode : CLIENT_LEFT;
      tell({ requestId, method, route, status, durationMs: clock.elapsed() - since, streamed: visitOf({ raw: asked }).streamed });
    });
    done();
  });
}
