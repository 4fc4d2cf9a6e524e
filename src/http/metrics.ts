import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../core/errors.ts';
import type { Credentials } from '../core/ports/credentials.ts';
import { authenticate } from './authenticate.ts';
import type { Dialect } from './dialect.ts';

/** The status under which requests are counted whose client left before the answer, as nginx names it. */
const CLIENT_LEFT = 499;
const NO_ROUTE = 'none';

/** Counts what the server answers, and tells what was counted. */
interface Metrics {
  /** `route` is a pattern, never an address; `durationMs` is null for a response that went on as a stream. */
  answered(request: { dialect: string; route: string; method: string; status: number; durationMs: number | null }): void;
  /** The figures to show, given how many connections of each kind are open. */
  read(open: Readonly<Record<string, number>>): Promise<{ readonly type: string; readonly text: string }>;
}

/** How `GET /metrics` answers. */
export interface MetricsPage {
  readonly metrics: Metrics;
  /** Whether it asks for no credential; otherwise for an API key with the scope `admin` that is not bound to some dialects. */
  readonly public: boolean;
}

interface MetricsRoute extends MetricsPage {
  readonly dialects: readonly Dialect[];
  readonly credentials: Credentials;
  readonly open: () => Readonly<Record<string, number>>;
}

/** Counts every answer of this server from now on, and serves the figures at `/metrics`. */
export function registerMetrics(app: FastifyInstance, { metrics, dialects, open, ...page }: MetricsRoute): void {
  const dialectOf = dialectByRoute(dialects);
  app.addHook('onRequest', async (request, reply) => {
    reply.raw.once('close', () => {
      const route = request.routeOptions.url ?? NO_ROUTE;
      const status = reply.raw.headersSent ? reply.raw.statusCode : CLIENT_LEFT;
      const durationMs = isStream(reply) ? null : reply.elapsedTime;
      metrics.answered({ dialect: dialectOf(route), route, method: request.method, status, durationMs });
    });
  });
  app.get('/metrics', async (request, reply) => {
    if (!page.public) await requireAdmin(page.credentials, request);
    const { type, text } = await metrics.read(open());
    return reply.header('content-type', type).header('cache-control', 'no-store').send(text);
  });
}

/** Streams set their headers on the raw response. */
function isStream({ raw }: FastifyReply): boolean {
  return String(raw.getHeader('content-type') ?? '').startsWith('text/event-stream');
}

async function requireAdmin(credentials: Credentials, request: FastifyRequest): Promise<void> {
  const { by, scopes, dialects } = await authenticate(credentials, request);
  if (by === 'key' && scopes.has('admin') && dialects === null) return;
  throw new AppError('scope_denied', 'This needs an API key with the scope "admin" that is not bound to some dialects.');
}

/** Whose route a pattern is: that of the dialect with the longest prefix it begins with. There are only as many patterns as routes. */
function dialectByRoute(dialects: readonly Dialect[]): (route: string) => string {
  const known = new Map<string, string>();
  const prefixes = dialects.flatMap(({ name, prefixes }) => prefixes.map((prefix) => ({ name, prefix })));
  prefixes.sort((left, right) => right.prefix.length - left.prefix.length);
  return (route) => {
    const found = known.get(route) ?? prefixes.find(({ prefix }) => route === prefix || route.startsWith(`${prefix}/`))?.name ?? NO_ROUTE;
    known.set(route, found);
    return found;
  };
}
