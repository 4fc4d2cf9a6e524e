import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ThreadId } from '../../core/ids.ts';
import type { Caller } from '../../core/principal.ts';
import { credentialRefused } from '../../http/authenticate.ts';
import type { Doorkeeper } from '../../http/dialect.ts';
import { toConversationId } from './wire.ts';

const CALLER = 'userChatCaller';

/** Lets only requests in whose credential may speak for the user in the path, and before their body is read. */
export function requirePathUser(scope: FastifyInstance, door: Doorkeeper): void {
  scope.decorateRequest(CALLER);
  scope.addHook('onRequest', async (request) => {
    const userId = parameterIn(request, 'user_id') ?? '';
    const principal = await door.authenticate(request, { tellsExpired: true });
    if (principal.kind === 'user' && principal.userId !== userId) {
      throw credentialRefused('auth_other_user');
    }
    request.setDecorator(CALLER, await door.callerOf(request, principal, userId));
  });
}

/** Whose records the request touches. */
export function callerIn(request: FastifyRequest): Caller {
  return request.getDecorator<Caller>(CALLER);
}

/** The conversation in the path. */
export function conversationIn(request: FastifyRequest): { id: ThreadId } {
  return { id: toConversationId(parameterIn(request, 'conversation_id')) };
}

function parameterIn(request: FastifyRequest, name: string): string | undefined {
  return (request.params as Readonly<Record<string, string | undefined>>)[name];
}
