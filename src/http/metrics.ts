import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../core/errors.ts';
import { DEFAULT_APPLICATION } from '../core/ids.ts';
import type { Credentials } from '../core/ports/credentials.ts';
import type { Answered } from './answered.ts';
import { authenticate } from './authenticate.ts';
import type { Dialect } from './dialect.ts';
import type { SocketCounts } from './socket-counts.ts';

const NO_ROUTE = 'none';

/** Counts what the server answers, and tells what was counted. */
interface Metrics {
  /** `route` is a pattern, never an address; `durationMs` is null for a response that went on as a stream. */
  answered(request: { dialect: string; route: string; method: string; status: number; durationMs: number | null }): void;
  /** Counts what happens on WebSockets; outcomes are `ok` or the code of a failure. */
  readonly sockets: {
    asked(socket: { dialect: string; outcome: string }): void;
    answered(frame: { dialect: string; type: string; outcome: string }): void;
  };
  /** The figures to show, given how many connections of each kind are open. */
  read(open: Readonly<Record<string, number>>): Promise<{ readonly type: string; readonly text: string }>;
}

/** How `GET /metrics` answers. */
export interface MetricsPage {
  readonly metrics: Metrics;
  /** Whether it asks for no credential; otherwise for an API key of the default application that may read and administer, in all dialects. */
  readonly public: boolean;
}

interface MetricsRoute extends MetricsPage {
  readonly credentials: Credentials;
  readonly open: () => Readonly<Record<string, number>>;
}

/** Counts an answer, by the dialect whose route it was. */
export function answerCounts({ metrics }: MetricsPage, dialects: readonly Dialect[]): (answered: Answered) => void {
  const dialectOf = dialectByRoute(dialects);
  return ({ route, method, status, durationMs, streamed }) => {
    const pattern = route ?? NO_ROUTE;
    metrics.answered({ dialect: dialectOf(pattern), route: pattern, method, status, durationMs: streamed ? null : durationMs });
  };
}

/** Serves the figures at `/metrics`. */
export function registerMetrics(app: FastifyInstance, { metrics, open, ...page }: MetricsRoute): void {
  app.get('/metrics', async (request, reply) => {
    if (!page.public) await requireAdmin(page.credentials, request);
    const { type, text } = await metrics.read(open());
    return reply.header('content-type', type).header('cache-control', 'no-store').send(text);
  });
}

/** Counts for the WebSockets of each dialect. */
export function socketCounts({ metrics }: MetricsPage, dialects: readonly Dialect[]): (path: string | null) => SocketCounts {
  const dialectOf = dialectByRoute(dialects);
  return (path) => {
    const dialect = path === null ? NO_ROUTE : dialectOf(path);
    return {
      admitted: (outcome) => metrics.sockets.asked({ dialect, outcome }),
      frame: (type, outcome) => metrics.sockets.answered({ dialect, type, outcome }),
    };
  };
}

async function requireAdmin(credentials: Credentials, request: FastifyRequest): Promise<void> {
  const { applicationId, by, scopes, dialects } = await authenticate(credentials, request);
  // The figures are those of all tenants.
  const operates = applicationId === DEFAULT_APPLICATION && by === 'key' && dialects === null;
  if (operates && scopes.has('admin') && scopes.has('read')) return;
  throw operatorNeeded();
}

/** Says whose key reads the figures. */
export function operatorNeeded(): AppError {
  const needed = 'an API key of the default application with the scopes "read" and "admin" that is not bound to some dialects';
  return new AppError('scope_denied', `This needs ${needed}.`);
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
