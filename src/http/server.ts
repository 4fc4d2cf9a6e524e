import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import { AppError } from '../core/errors.ts';
import type { Credentials } from '../core/ports/credentials.ts';
import type { LoadGauge } from '../core/ports/load.ts';
import { onAnswered } from './answered.ts';
import { announcesBody, boundBodyTime } from './body-deadline.ts';
import { answerClientError } from './client-error.ts';
import { type OriginPolicy, useCors } from './cors.ts';
import { checkCredential } from './current-credential.ts';
import type { Dialect, DialectDeps } from './dialect.ts';
import { registerDocs } from './docs/register-docs.ts';
import { createDoorkeeper } from './doorkeeper.ts';
import { createErrorHandler } from './error-handler.ts';
import { type HostPolicy, hostUnknown } from './host-policy.ts';
import { useJsonBodies } from './json-body.ts';
import { answerCounts, type MetricsPage, registerMetrics, socketCounts } from './metrics.ts';
import { problemShape } from './problem.ts';
import { setRateHeaders } from './rate-headers.ts';
import { refuseReserved } from './reserved-words.ts';
import { createRouteTable, type RouteTable } from './route-table.ts';
import { registerStartPage, type StartPage } from './start-page.ts';
import { useValidation, withoutCompilers } from './validator.ts';
import { createWebSockets, wantsWebSocket } from './web-socket.ts';

/** The longest that a request may take to come: an upload, all others being bounded more tightly. */
const REQUEST_MS = 300_000;
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
  /** While it says that the process is overloaded, WebSockets are turned away; without it none are. */
  readonly load?: LoadGauge;
}

/** The HTTP server with all dialects mounted, not yet listening. */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const app = createApp(options);
  const routes = createRouteTable(app);
  useJsonBodies(app);
  useValidation(app);
  noteAnswers(app, options);
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
        scope.addHook('onRequest', (_request, reply, done) => {
          reply.header('cache-control', 'private, no-store');
          done();
        });
        refuseReserved(scope, { words: reserved, answer: sendProblem });
        scope.addHook('preHandler', (request, _reply, done) => {
          checkCredential(request, deps.clock);
          done();
        });
        await dialect.register(scope, { ...deps, sockets, door });
      },
      { prefix },
    );
  }
}

function createApp(options: ServerOptions): FastifyInstance {
  return Fastify({
    loggerInstance: options.log,
    schemaController: withoutCompilers,
    // Lines that are about a request name it themselves: a logger of its own for each would cost more than its lines.
    childLoggerFactory: (log) => log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    http: {
      connectionsCheckingInterval: 1_000,
      headersTimeout: 8_000,
      requestTimeout: REQUEST_MS,
      maxHeaderSize: 16_384,
      shouldUpgradeCallback: wantsWebSocket,
    },
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: 65_000,
    bodyLimit: options.bodyLimit,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    requestIdHeader: false,
    genReqId: (raw) => {
      const given = raw.headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    },
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 1_024 },
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => {
      setCommonHeaders(request, reply);
      sendProblem(error, request, reply);
    },
  });
}

function addHooks(app: FastifyInstance, { draining, hosts, deps }: ServerOptions): void {
  app.addHook('onRequest', (request, reply, done) => {
    setCommonHeaders(request, reply);
    if (hosts && !hosts(request.headers.host) && !PROBES.has(request.routeOptions.url ?? '')) throw hostUnknown();
    if (!draining.aborted) return done();
    reply.header('connection', 'close');
    if (!['GET', 'HEAD', 'OPTIONS'].includes(request.method)) {
      throw new AppError('draining', 'This server is about to stop; send the request again in a few seconds.', { retryAfterSeconds: 5 });
    }
    done();
  });
  app.addHook('preParsing', (request, reply, ...[, done]) => {
    boundBodyTime(request, reply, deps.clock);
    done();
  });
  app.addHook('onSend', (request, reply, ...[, done]) => {
    setRateHeaders(reply);
    // What is left of an unread body must not be taken for the next request.
    if (announcesBody(request) && !request.raw.complete) reply.header('connection', 'close');
    done();
  });
}

function noteAnswers(app: FastifyInstance, { log, deps, metrics, dialects }: ServerOptions): void {
  const count = metrics && answerCounts(metrics, dialects);
  onAnswered(app, deps.clock, (answered) => {
    const { requestId, method, route, status, durationMs } = answered;
    log.info({ request_id: requestId, method, route, status, duration_ms: Math.round(durationMs) }, 'request');
    count?.(answered);
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
