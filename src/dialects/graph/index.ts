import type { Dialect } from '../../http/dialect.ts';
import { createErrorHandler } from '../../http/error-handler.ts';
import { requirePrincipal } from './request.ts';
import { registerRoutes } from './routes.ts';
import { graphErrors } from './translate.ts';

/** A partner application's API to a graph: one call with the whole answer, or its nodes and tokens as they come. */
export const graph: Dialect = {
  name: 'graph',
  purpose: 'Partner applications: the answer of a graph as JSON, or its nodes and tokens as SSE',
  prefixes: ['/api/v1'],
  example: ({ url, key }) => `curl -sN ${url}/api/v1/graph/stream \\
  -H "X-API-Key: ${key}" -H "Content-Type: application/json" \\
  -d '{"message":"Hello","user_id":"partner_app_user_123"}'`,
  document: async () => (await import('./operations.ts')).graphDocument,
  register(scope, deps) {
    scope.setErrorHandler(createErrorHandler(graphErrors));
    requirePrincipal(scope, deps.door);
    registerRoutes(scope, deps);
  },
};
