import type { FastifyInstance } from 'fastify';

/** A route as it was registered. */
export interface DescribedRoute {
  /** Upper case. */
  readonly method: string;
  /** With parameters as `:name`, without a slash at its end. */
  readonly url: string;
  readonly prefix: string;
  /** What its bodies are checked against, or null. */
  readonly bodySchema: object | null;
}

/** Collects the routes that are registered after it; those that only follow from others (HEAD, preflights) are left out. */
export function collectRoutes(app: FastifyInstance): readonly DescribedRoute[] {
  const routes: DescribedRoute[] = [];
  app.addHook('onRoute', ({ method, url, prefix, schema }) => {
    for (const name of [method].flat()) {
      const path = url.replace(/(?<=.)\/$/, '');
      const isKnown = routes.some((route) => route.method === name && route.url === path);
      if (name === 'HEAD' || name === 'OPTIONS' || isKnown) continue;
      const body = schema?.body;
      routes.push({ method: name, url: path, prefix, bodySchema: typeof body === 'object' && body !== null ? body : null });
    }
  });
  return routes;
}
