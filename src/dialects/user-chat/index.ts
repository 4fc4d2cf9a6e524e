import { AppError } from '../../core/errors.ts';
import type { Dialect } from '../../http/dialect.ts';
import { createErrorHandler } from '../../http/error-handler.ts';
import { problemShape } from '../../http/problem.ts';
import { requirePathUser } from './request.ts';
import { registerRoutes } from './routes.ts';
import { userChatErrors } from './translate.ts';

const answerFailure = createErrorHandler(userChatErrors);
const answerUnknownAddress = createErrorHandler(problemShape);

/** A full-stack app's chat: its signed-in user posts a message and gets the whole answer as JSON. */
export const userChat: Dialect = {
  name: 'user-chat',
  purpose: 'Apps with their own sign-in: one POST, the whole answer as JSON',
  prefixes: ['/api/:user_id', '/chat/:user_id', '/api/v1/chat/:user_id'],
  example: ({ url, key }) => `curl -s ${url}/api/user123/chat \\
  -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" \\
  -d '{"message":{"content":"Hello, how can you help me?"}}'`,
  register(scope, deps) {
    scope.setErrorHandler((error, request, reply) => {
      const isUnknownAddress = error instanceof AppError && error.code === 'route_not_found';
      (isUnknownAddress ? answerUnknownAddress : answerFailure)(error, request, reply);
    });
    requirePathUser(scope, deps.credentials);
    registerRoutes(scope, deps);
  },
};
