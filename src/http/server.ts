import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import { v4 } from 'uuid';
import { AppError } from '../core/errors.ts';
import type { Credentials } from '../core/ports/credentials.ts';
import { answerClientError } from './client-error.ts';
import { type OriginPolicy, useCors } from './cors.ts';
import { checkCredential } from './current-credential.ts';
import type { Dialect, DialectDeps } from './dialect.ts';
import { registerDocs } from './docs/register-docs.ts';
import { createDoorkeeper } from './doorkeeper.ts';
import { createErrorHandler } from './error-handler.ts';
import { type HostPolicy, hostUnknown } from './host-policy.ts';
import { useJsonBodies } from './json-body.ts';
import { type MetricsPage, registerMetrics, socketCounts } from './metrics.ts';
import { problemShape } from './problem.ts';
import { setRateHeaders } from './rate-headers.ts';
import { refuseReserved } from './reserved-words.ts';
import { createRouteTable, type RouteTable } from './route-table.ts';
import { registerStartPage, type StartPage } from './start-page.ts';
import { useValidation } from './validator.ts';
import { createWebSockets, wantsWebSocket } from './web-socket.ts';

const REQUEST_ID = /^[A-Za-z0-9_-]{1,64}$/;
/** Asked by what watches the server, under whatever name it has there. */
const PROBES: ReadonlySet<string> = new Set(['/health', '/ready']);
const sendProblem = createErrorHandler(problemShape);

export interface ServerOptions {
  readonly origins: OriginPolicy;
  /** Without it requests may name any host. */
  readonly hosts?: HostPolicy;
  /** Largest JSON body in bytes. */
  readonly bodyLimit: number;
  readonly page: StartPage;
  /** Without it nothing is counted. */
  readonly metrics?: MetricsPage;
  readonly log: FastifyBaseLogger;
  readonly dialects: readonly Dialect[];
  readonly credentials: Credentials;
  readonly deps: Omit<DialectDeps, 'sockets' | 'door'>;
  /** Aborted when the server is about to stop: it answers what is under way and takes nothing new. */
  readonly draining: AbortSignal;
}

/** The HTTP server with all dialects mounted, not yet listening. */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const app = createApp(options);
  const routes = createRouteTable(app);
  useJsonBodies(app);
  useValidation(app);
  addHooks(app, options);
  await useCors(app, options.origins);
  app.setErrorHandler(sendProblem);
  app.setNotFoundHandler((request, reply) => answerUnknown(routes, request, reply));
  registerDocs(app, { dialects: options.dialects, ...options.page });
  registerHealth(app, options);
  registerStartPage(app, options.page, options.dialects);
  const countsAt = options.metrics && { countsAt: socketCounts(options.metrics, options.dialects) };
  const sockets = createWebSockets({ ...options, clock: options.deps.clock, ...countsAt });
  const open = () => ({ event_stream: options.deps.eventStreams.size, web_socket: sockets.size });
  if (options.metrics) registerMetrics(app, { ...options, ...options.metrics, open });
  app.server.on('upgrade', sockets.upgrade);
  app.addHook('preClose', () => sockets.close());
  for (const dialect of options.dialects) await mount(app, dialect, { ...options, routes, sockets });
  return app;
}

interface Mounting extends Pick<ServerOptions, 'credentials' | 'deps'>, Pick<DialectDeps, 'sockets'> {
  readonly routes: RouteTable;
}

/** Registers a dialect under each of its prefixes, with a door of its own. */
async function mount(app: FastifyInstance, dialect: Dialect, { credentials, deps, sockets, routes }: Mounting): Promise<void> {
  const door = createDoorkeeper({ credentials, limits: deps.engine.limits, clock: deps.clock, dialect: dialect.name });
  const { reserved = [] } = dialect;
  for (const prefix of dialect.prefixes) {
    routes.reserve(prefix, reserved);
    await app.register(
      async (scope) => {
        scope.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'private, no-store'));
        refuseReserved(scope, { words: reserved, answer: sendProblem });
        scope.addHook('preHandler', async (request) => checkCredential(request, deps.clock));
        await dialect.register(scope, { ...deps, sockets, door });
      },
      { prefix },
    );
  }
}

function createApp(options: ServerOptions): FastifyInstance {
  return Fastify({
    loggerInstance: options.log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    http: {
      connectionsCheckingInterval: 1_000,
      headersTimeout: 8_000,
      requestTimeout: 10_000,
      maxHeaderSize: 16_384,
      shouldUpgradeCallback: wantsWebSocket,
    },
    requestTimeout: 10_000,
    keepAliveTimeout: 65_000,
    bodyLimit: options.bodyLimit,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    requestIdHeader: false,
    genReqId: (raw) => {
      const given = raw.headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : v4();
    },
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 1_024 },
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => {
      setCommonHeaders(request, reply);
      sendProblem(error, request, reply);
    },
  });
}

function addHooks(app: FastifyInstance, { draining, hosts }: ServerOptions): void {
  app.addHook('onRequest', async (request, reply) => {
    setCommonHeaders(request, reply);
    if (hosts && !hosts(request.headers.host) && !PROBES.has(request.routeOptions.url ?? '')) throw hostUnknown();
    if (!draining.aborted) return;
    reply.header('connection', 'close');
    if (!['GET', 'HEAD', 'OPTIONS'].includes(request.method)) {
      throw new AppError('draining', 'This server is about to stop; send the request again in a few seconds.', { retryAfterSeconds: 5 });
    }
  });
  app.addHook('onSend', async (request, reply) => {
    setRateHeaders(reply);
    // What is left of an unread body must not be taken for the next request.
    const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
    const hasBody = encoding !== undefined || (length !== undefined && length !== '0');
    if (hasBody && !request.raw.complete) reply.header('connection', 'close');
  });
  app.addHook('onResponse', async (request, reply) => {
    // The pattern and not the address: whatever somebody writes into an address, a secret say, stays out of the log.
    const route = request.routeOptions.url ?? null;
    const durationMs = Math.round(reply.elapsedTime);
    request.log.info({ method: request.method, route, status: reply.statusCode, duration_ms: durationMs }, 'request');
  });
}

function setCommonHeaders(request: FastifyRequest, reply: FastifyReply): void {
  reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff');
}

function answerUnknown(routes: RouteTable, request: FastifyRequest, reply: FastifyReply): void {
  const place = routes.at(request.url.split('?', 1)[0] ?? '');
  if (!place) throw new AppError('route_not_found', 'There is nothing at this address.');
  const allow = place.methods.join(', ');
  reply.header('allow', allow);
  place.answerFailure(new AppError('method_not_allowed', `This address answers ${allow}.`), request, reply);
}

function registerHealth(app: FastifyInstance, { deps, draining }: ServerOptions): void {
  app.get('/health', { exposeHeadRoute: true }, async () => ({ status: 'ok' }));
  app.get('/ready', { exposeHeadRoute: true }, async (_request, reply) => {
    const state = draining.aborted ? ({ ready: false, reason: 'stopping' } as const) : await deps.engine.readiness();
    if (state.ready) return { status: 'ready' };
    return reply.code(503).header('retry-after', '5').send({ status: 'unavailable', reason: state.reason });
  });
}
