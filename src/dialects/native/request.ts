import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../core/errors.ts';
import { type AttachmentId, type MessageId, type PromptId, parseUuid, type RunId, type ThreadId } from '../../core/ids.ts';
import type { Caller, Principal, Scope } from '../../core/principal.ts';
import { fileNotFound, promptNotFound } from '../../core/refusals.ts';
import type { Run } from '../../core/run.ts';
import { namedUserOf } from '../../http/authenticate.ts';
import type { Doorkeeper } from '../../http/dialect.ts';

const PRINCIPAL = 'nativePrincipal';
const CALLER = 'nativeCaller';

/** What a route asks for beyond reading and writing, as its `config`: a server's key with this scope. */
export interface RouteNeeds {
  readonly needs?: Scope;
}

/** Lets only requests in that say who sends them, and before their body is read. */
export function requireCaller(scope: FastifyInstance, door: Doorkeeper): void {
  scope.decorateRequest(PRINCIPAL);
  scope.decorateRequest(CALLER);
  scope.addHook('onRequest', async (request) => {
    const principal = await door.authenticate(request);
    const { needs } = request.routeOptions.config as RouteNeeds;
    if (needs) requireServerKey(door, principal, needs);
    request.setDecorator(PRINCIPAL, principal);
    request.setDecorator(CALLER, await door.callerOf(request, principal, namedUserOf(request)));
  });
}

/** What acts for one user only makes no tokens and no keys. */
function requireServerKey(door: Doorkeeper, principal: Principal, scope: Scope): void {
  if (principal.kind !== 'key') throw new AppError('scope_denied', "This needs a server's key: one of a user, or a token, does not do.");
  door.require(principal, scope);
}

/** Who sent the request. */
export function principalIn(request: FastifyRequest): Principal {
  return request.getDecorator<Principal>(PRINCIPAL);
}

/** Whose records the request touches. */
export function callerIn(request: FastifyRequest): Caller {
  return request.getDecorator<Caller>(CALLER);
}

/** The thread in the path; what is no id is a thread that does not exist. */
export function threadIn(request: FastifyRequest): { id: ThreadId } {
  const id = parseUuid<ThreadId>(pathParameter(request, 'thread_id'));
  if (!id) throw new AppError('thread_not_found', 'There is no such thread.');
  return { id };
}

/** The file in the path; what is no id is a file that does not exist. */
export function fileIn(request: FastifyRequest): { id: AttachmentId } {
  const id = parseUuid<AttachmentId>(pathParameter(request, 'file_id'));
  if (!id) throw fileNotFound();
  return { id };
}

/** The run in the path; what is no id is a run that does not exist. */
export function runIn(request: FastifyRequest): RunId {
  const id = parseUuid<RunId>(pathParameter(request, 'run_id'));
  if (!id) throw new AppError('run_not_found', 'There is no such run.');
  return id;
}

/** The prompt in the path; what is no id is a prompt that does not exist. */
export function promptIn(request: FastifyRequest): { id: PromptId } {
  return toPromptId(pathParameter(request, 'prompt_id'));
}

/** A prompt that a caller named; what is no id is a prompt that does not exist. */
export function toPromptId(text: string | undefined): { id: PromptId } {
  const id = parseUuid<PromptId>(text);
  if (!id) throw promptNotFound();
  return { id };
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
