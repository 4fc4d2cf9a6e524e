import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../../core/errors.ts';
import type { ThreadId } from '../../core/ids.ts';
import type { Credentials } from '../../core/ports/credentials.ts';
import type { Owner } from '../../core/principal.ts';
import { authenticate, ownerOf } from '../../http/authenticate.ts';
import { toConversationId } from './wire.ts';

const OWNER = 'userChatOwner';
/** First segments of other protocols' addresses, which stand where a user's id would. */
const RESERVED = new Set(['v1', 'chat', 'graph', 'levia', 'auth', 'console', 'polylogue', 'ws', 'mcp']);

/** Lets only requests in whose credential may speak for the user in the path, and before their body is read. */
export function requirePathUser(scope: FastifyInstance, credentials: Credentials): void {
  scope.decorateRequest(OWNER);
  scope.addHook('onRequest', async (request) => {
    const userId = parameterIn(request, 'user_id') ?? '';
    if (RESERVED.has(userId)) throw new AppError('route_not_found', 'There is nothing at this address.');
    const principal = await authenticate(request, { credentials, tellsExpired: true });
    if (principal.kind === 'user' && principal.userId !== userId) {
      throw new AppError('auth_other_user', 'The token belongs to another user.');
    }
    request.setDecorator(OWNER, ownerOf(principal, userId));
  });
}

/** Whose records the request touches. */
export function ownerIn(request: FastifyRequest): Owner {
  return request.getDecorator<Owner>(OWNER);
}

/** The conversation in the path. */
export function conversationIn(request: FastifyRequest): { id: ThreadId } {
  return { id: toConversationId(parameterIn(request, 'conversation_id')) };
}

function parameterIn(request: FastifyRequest, name: string): string | undefined {
  return (request.params as Readonly<Record<string, string | undefined>>)[name];
}
