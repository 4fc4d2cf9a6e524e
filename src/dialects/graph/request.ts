import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../core/errors.ts';
import { ANONYMOUS_USER, parseUuid, type ThreadId } from '../../core/ids.ts';
import type { Caller, Owner, Principal } from '../../core/principal.ts';
import type { Run } from '../../core/run.ts';
import { credentialRefused } from '../../http/authenticate.ts';
import type { DialectDeps, Doorkeeper } from '../../http/dialect.ts';
import { mayActForAll } from '../../http/doorkeeper.ts';
import { createQueryReader } from '../../http/query.ts';

const PRINCIPAL = 'graphPrincipal';
const MAX_USER_ID = 255;

/** Lets only requests in that say who sends them, and before their body is read. */
export function requirePrincipal(scope: FastifyInstance, door: Doorkeeper): void {
  scope.decorateRequest(PRINCIPAL);
  scope.addHook('onRequest', async (request) => {
    request.setDecorator(PRINCIPAL, await door.authenticate(request));
  });
}

/** Whose records a request touches that names `userId`, or nobody. Rejects a token that names another user than its own. */
export async function callerFor(door: Doorkeeper, request: FastifyRequest, userId: string | null | undefined): Promise<Caller> {
  const principal = request.getDecorator<Principal>(PRINCIPAL);
  if (principal.kind === 'user' && typeof userId === 'string' && userId !== principal.userId) {
    throw credentialRefused('auth_other_user');
  }
  return door.callerOf(request, principal, userId ?? (mayActForAll(principal) ? ANONYMOUS_USER : null));
}

/**
 * The thread in the path and its owner: the user in the query or of the token; for a key that acts for all and names nobody, the only user
 * who has a thread of that id, `state_conflict` when there are more.
 */
export async function threadIn({ engine, door }: DialectDeps, request: FastifyRequest): Promise<{ owner: Owner; id: ThreadId }> {
  const principal = request.getDecorator<Principal>(PRINCIPAL);
  const userId = createQueryReader(request.query).text('user_id', MAX_USER_ID);
  const owner = await callerFor(door, request, userId);
  const id = parseUuid<ThreadId>((request.params as { thread_id?: string }).thread_id);
  if (!id) throw threadNotFound();
  if (userId !== null || !mayActForAll(principal)) return { owner, id };
  const [only, another] = await engine.threads.ownersOf(owner, id);
  if (!only) throw threadNotFound();
  if (another) throw severalOwners();
  return { owner: only, id };
}

/** Says in the response's headers which run it is about. */
export function nameRun(reply: FastifyReply, run: Run): FastifyReply {
  return reply.header('x-thread-id', run.threadId).header('x-run-id', run.id);
}

/** Says that an id alone does not tell whose thread is meant. */
export function severalOwners(): AppError {
  return new AppError('state_conflict', 'Several users have a thread with this id; say which one as ?user_id=.');
}

function threadNotFound(): AppError {
  return new AppError('thread_not_found', 'There is no such thread.');
}
