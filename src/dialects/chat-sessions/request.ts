import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Credentials } from '../../core/ports/credentials.ts';
import type { Owner } from '../../core/principal.ts';
import type { Thread } from '../../core/thread.ts';
import { authenticate, namedUserOf, ownerOf } from '../../http/authenticate.ts';

const OWNER = 'chatSessionsOwner';

/** Lets only requests in that say who sends them, and before their body is read. */
export function requireOwner(scope: FastifyInstance, credentials: Credentials): void {
  scope.decorateRequest(OWNER);
  scope.addHook('onRequest', async (request) => {
    const principal = await authenticate(request, { credentials });
    request.setDecorator(OWNER, ownerOf(principal, namedUserOf(request)));
  });
}

/** Whose records the request touches. */
export function ownerIn(request: FastifyRequest): Owner {
  return request.getDecorator<Owner>(OWNER);
}

/** Says in the response's headers which session it is about. */
export function nameThread(reply: FastifyReply, thread: Thread): FastifyReply {
  return reply.header('x-session-id', String(thread.number)).header('x-thread-id', thread.id);
}
