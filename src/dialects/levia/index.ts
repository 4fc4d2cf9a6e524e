import type { Dialect } from '../../http/dialect.ts';
import { createErrorHandler } from '../../http/error-handler.ts';
import { registerRoutes } from './routes.ts';
import { leviaErrors } from './translate.ts';

/** Levia's HTTP stream API: a developer's backend with one key for many users asks by POST and reads the answer by request id. */
export const levia: Dialect = {
  name: 'levia',
  purpose: 'One key for many users: ask by POST, read the answer as SSE by its request id',
  prefixes: ['/levia/chat'],
  example: ({ url, key }) => `SESSION=$(curl -s ${url}/levia/chat/create \\
  -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" \\
  -d '{"user_id":"user123"}' | sed 's/.*"session_id":"\\([^"]*\\)".*/\\1/')
REQUEST=$(curl -s ${url}/levia/chat \\
  -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" \\
  -d '{"user_id":"user123","session_id":"'$SESSION'","intent":"Hello"}' \\
  | sed 's/.*"request_id":"\\([^"]*\\)".*/\\1/')
curl -sN ${url}/levia/chat/stream/$REQUEST \\
  -H "Authorization: Bearer ${key}"`,
  document: async () => (await import('./operations.ts')).leviaDocument,
  register(scope, deps) {
    scope.setErrorHandler(createErrorHandler(leviaErrors));
    registerRoutes(scope, deps);
  },
};
