/** Tests go through real servers, so they may name what their subject may not. */
const TEST = '\\.test\\.ts$';
const LOCAL = '^(src|test|scripts|bench|web)/';

/** Files under `from` may import nothing at all, npm packages and Node's modules included, but what matches `to`. */
const onlyThese = (name, { from, to, comment }) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from, pathNot: TEST },
  to: { pathNot: to },
});

/** Files under `from` may import npm packages, Node's modules and, of this repository, only what matches `to`. */
const onlyTheseLocally = (name, { from, to, comment }) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from, pathNot: TEST },
  to: { path: LOCAL, pathNot: to },
});

export default {
  forbidden: [
    onlyThese('core-is-pure', {
      from: '^src/core/',
      to: '^(src/core/|node_modules/typebox/)',
      comment: 'The nouns depend on nothing but each other and the schema library.',
    }),
    onlyThese('engine-sees-only-core', {
      from: '^src/engine/',
      to: '^src/(core|engine)/',
      comment: 'The engine reaches the world through the ports in core/ports.',
    }),
    onlyTheseLocally('dialect-sees-door-and-http', {
      from: '^src/dialects/([^/]+)/',
      to: ['^src/dialects/$1/', '^src/http/', '^src/engine/index\\.ts$', '^src/core/'],
      comment: 'A dialect translates between its wire and the engine; it knows no other dialect and no backend.',
    }),
    onlyTheseLocally('http-sees-door', {
      from: '^src/http/',
      to: ['^src/http/', '^src/engine/index\\.ts$', '^src/core/'],
      comment: 'What front doors share knows no dialect and no backend.',
    }),
    onlyTheseLocally('backend-sees-core-and-itself', {
      from: '^src/backends/([^/]+)/',
      to: ['^src/backends/$1/', '^src/core/'],
      comment: 'A backend implements a port of core; backends do not know each other.',
    }),
    onlyTheseLocally('store-sees-itself-and-sql', {
      from: '^src/backends/stores/([^/]+)/',
      to: ['^src/backends/stores/($1|sql)/', '^src/core/'],
      comment: 'Stores share only the query module.',
    }),
    onlyTheseLocally('agent-sees-core', {
      from: '^src/agents/',
      to: ['^src/agents/', '^src/core/'],
      comment: 'An agent is data and functions over the nouns.',
    }),
    onlyTheseLocally('config-sees-core', {
      from: '^src/config(/|\\.ts$)',
      to: ['^src/config(/|\\.ts$)', '^src/core/'],
      comment: 'Settings are read before anything is built.',
    }),
    {
      name: 'agent-library-stays-in-its-runtime',
      comment: 'What is heavy is loaded by the agents that need it, and by nobody else.',
      severity: 'error',
      from: { path: '^src/', pathNot: [TEST, '^src/backends/runtimes/(langgraph|openai-agents)/'] },
      to: { path: '^(node_modules/)?(@langchain|@openai|openai|langsmith)/' },
    },
    {
      name: 'no-test-in-product',
      comment: 'What ships does not depend on tests.',
      severity: 'error',
      from: { path: '^src/', pathNot: TEST },
      to: { path: ['^test/', TEST] },
    },
    {
      name: 'no-cycle',
      comment: 'Two files that need each other are one, or need a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolved',
      comment: 'An import that leads nowhere would also escape the rules above.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: '(^|/)node_modules/' },
    // Imports of types are dependencies too.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.mjs', '.js', '.json'],
    },
  },
};
