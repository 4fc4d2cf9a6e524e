import type { FastifyInstance } from 'fastify';

/** Knows which methods an address answers, for 405 and its `Allow`. */
export interface RouteTable {
  /** Empty when nothing is at the path. */
  methodsAt(path: string): readonly string[];
}

/** Collects the routes that are registered after it. */
export function createRouteTable(app: FastifyInstance): RouteTable {
  const methodsOf = new Map<string, { pattern: RegExp; methods: Set<string> }>();
  app.addHook('onRoute', ({ url, method }) => {
    if (url === '*') return;
    const entry = methodsOf.get(url) ?? { pattern: patternOf(url), methods: new Set() };
    methodsOf.set(url, entry);
    for (const name of [method].flat()) entry.methods.add(name);
  });
  return {
    methodsAt(path) {
      const found = new Set<string>();
      for (const { pattern, methods } of methodsOf.values()) if (pattern.test(path)) for (const name of methods) found.add(name);
      return [...found].sort();
    },
  };
}

function patternOf(url: string): RegExp {
  const source = url
    .replace(/\/$/, '')
    .replace(/[.*+?^${}|[\]\\]/g, '\\$&')
    .replace(/:\w+(?:\([^/]*\))?/g, '[^/]+')
    .replaceAll('\\*', '.*');
  return new RegExp(`^${source}/?$`);
}
