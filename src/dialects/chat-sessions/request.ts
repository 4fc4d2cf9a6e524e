import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '../../core/principal.ts';
import type { Thread } from '../../core/thread.ts';
import { namedUserOf } from '../../http/authenticate.ts';
import type { Doorkeeper } from '../../http/dialect.ts';

const CALLER = 'chatSessionsCaller';

/** Lets only requests in that say who sends them, and before their body is read. */
export function requireCaller(scope: FastifyInstance, door: Doorkeeper): void {
  scope.decorateRequest(CALLER);
  scope.addHook('onRequest', async (request) => {
    const principal = await door.authenticate(request);
    request.setDecorator(CALLER, await door.callerOf(request, principal, namedUserOf(request)));
  });
}

/** Whose records the request touches. */
export function callerIn(request: FastifyRequest): Caller {
  return request.getDecorator<Caller>(CALLER);
}

/** Says in the response's headers which session it is about. */
export function nameThread(reply: FastifyReply, thread: Thread): FastifyReply {
  return reply.header('x-session-id', String(thread.number)).header('x-thread-id', thread.id);
}
