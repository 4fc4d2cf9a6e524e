import type { Dialect } from '../../http/dialect.ts';
import { createErrorHandler } from '../../http/error-handler.ts';
import { registerRoutes } from './routes.ts';
import { chatSessionsErrors } from './translate.ts';

/** A chat API of numbered sessions: one POST answered by the answer's raw text as SSE. */
export const chatSessions: Dialect = {
  name: 'chat-sessions',
  purpose: 'Numbered sessions: one POST, answered by the raw text as SSE',
  prefixes: ['/v1/chat', '/api/chat'],
  example: ({ url, key }) => `curl -sN ${url}/v1/chat/stream \\
  -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" \\
  -d '{"model":"gpt-4","messages":[{"role":"user","content":"Hello"}]}'`,
  document: async () => (await import('./operations.ts')).chatSessionsDocument,
  register(scope, deps) {
    scope.setErrorHandler(createErrorHandler(chatSessionsErrors));
    registerRoutes(scope, deps);
  },
};
