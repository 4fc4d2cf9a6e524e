import type { Dialect } from '../../http/dialect.ts';
import { createErrorHandler } from '../../http/error-handler.ts';
import { problemShape } from '../../http/problem.ts';
import { registerAccessRoutes } from './access-routes.ts';
import { registerAgentRoutes } from './agent-routes.ts';
import { registerApprovalRoutes } from './approval-routes.ts';
import { registerFileRoutes } from './file-routes.ts';
import { registerPromptRoutes } from './prompt-routes.ts';
import { requireCaller } from './request.ts';
import { registerRunRoutes } from './run-routes.ts';
import { registerThreadRoutes } from './thread-routes.ts';
import { toModelList } from './translate.ts';

/** Polylogue's own protocol: the only one that shows every fact. */
export const native: Dialect = {
  name: 'native',
  prefixes: ['/polylogue/v1'],
  purpose: 'Threads, branches, runs and every event; where to start today',
  example: ({ url, key }) => `THREAD=$(curl -s -X POST ${url}/polylogue/v1/threads \\
  -H "Authorization: Bearer ${key}" | sed 's/.*"id":"\\([^"]*\\)".*/\\1/')
RUN=$(curl -s ${url}/polylogue/v1/threads/$THREAD/runs \\
  -H "Authorization: Bearer ${key}" \\
  -H "Content-Type: application/json" -d '{"text":"Hello"}' | sed 's/.*"id":"\\([^"]*\\)".*/\\1/')
curl -sN ${url}/polylogue/v1/runs/$RUN/events -H "Authorization: Bearer ${key}"`,
  document: async () => (await import('./operations.ts')).nativeDocument,
  register(scope, deps) {
    scope.setErrorHandler(createErrorHandler(problemShape));
    requireCaller(scope, deps.door);
    registerThreadRoutes(scope, deps);
    registerRunRoutes(scope, deps);
    registerFileRoutes(scope, deps);
    registerAccessRoutes(scope, deps);
    registerPromptRoutes(scope, deps);
    scope.get('/models', async () => toModelList(deps.engine.models));
    registerAgentRoutes(scope, deps);
    registerApprovalRoutes(scope, deps);
  },
};
