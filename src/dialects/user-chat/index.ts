import type { Dialect } from '../../http/dialect.ts';
import { createErrorHandler } from '../../http/error-handler.ts';
import { requirePathUser } from './request.ts';
import { registerRoutes } from './routes.ts';
import { userChatErrors } from './translate.ts';

/** A full-stack app's chat: its signed-in user posts a message and gets the whole answer as JSON. */
export const userChat: Dialect = {
  name: 'user-chat',
  purpose: 'Apps with their own sign-in: one POST, the whole answer as JSON',
  prefixes: ['/api/:user_id', '/chat/:user_id', '/api/v1/chat/:user_id'],
  // First segments of other protocols' addresses.
  reserved: ['v1', 'chat', 'graph', 'levia', 'auth', 'console', 'polylogue', 'ws', 'mcp'],
  example: ({ url, key }) => `curl -s ${url}/api/user123/chat \\
  -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" \\
  -d '{"message":{"content":"Hello, how can you help me?"}}'`,
  document: async () => (await import('./operations.ts')).userChatDocument,
  register(scope, deps) {
    scope.setErrorHandler(createErrorHandler(userChatErrors));
    requirePathUser(scope, deps.door);
    registerRoutes(scope, deps);
  },
};
