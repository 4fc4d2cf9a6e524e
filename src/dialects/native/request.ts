import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../core/errors.ts';
import { type MessageId, parseUuid, type RunId, type ThreadId } from '../../core/ids.ts';
import type { Credentials } from '../../core/ports/credentials.ts';
import type { Owner } from '../../core/principal.ts';
import type { Run } from '../../core/run.ts';
import { authenticate, namedUserOf, ownerOf } from '../../http/authenticate.ts';

const OWNER = 'nativeOwner';
const EXPIRY = 'nativeExpiry';

/** Lets only requests in that say who sends them, and before their body is read. */
export function requireOwner(scope: FastifyInstance, credentials: Credentials): void {
  scope.decorateRequest(OWNER);
  scope.decorateRequest(EXPIRY);
  scope.addHook('onRequest', async (request) => {
    const principal = await authenticate(request, { credentials });
    request.setDecorator(OWNER, ownerOf(principal, namedUserOf(request)));
    request.setDecorator(EXPIRY, principal.kind === 'user' ? (principal.expiresAt ?? null) : null);
  });
}

/** When the request's token ends, in milliseconds since 1970; null for what does not end by itself. */
export function expiryIn(request: FastifyRequest): number | null {
  return request.getDecorator<number | null>(EXPIRY);
}

/** Whose records the request touches. */
export function ownerIn(request: FastifyRequest): Owner {
  return request.getDecorator<Owner>(OWNER);
}

/** The thread in the path; what is no id is a thread that does not exist. */
export function threadIn(request: FastifyRequest): { id: ThreadId } {
  const id = parseUuid<ThreadId>(pathParameter(request, 'thread_id'));
  if (!id) throw new AppError('thread_not_found', 'There is no such thread.');
  return { id };
}

/** The run in the path; what is no id is a run that does not exist. */
export function runIn(request: FastifyRequest): RunId {
  const id = parseUuid<RunId>(pathParameter(request, 'run_id'));
  if (!id) throw new AppError('run_not_found', 'There is no such run.');
  return id;
}

/** A message id that a caller sent; what is no id is a message that does not exist. */
export function toMessageId(text: string): MessageId {
  const id = parseUuid<MessageId>(text);
  if (!id) throw new AppError('message_not_found', 'There is no such message in this thread.');
  return id;
}

/** Says in the response's headers which run it is about. */
export function nameRun(reply: FastifyReply, run: Run): FastifyReply {
  return reply.header('x-thread-id', run.threadId).header('x-run-id', run.id);
}

function pathParameter(request: FastifyRequest, name: string): string | undefined {
  return (request.params as Readonly<Record<string, string | undefined>>)[name];
}
