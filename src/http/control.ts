import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { AppError } from '../core/errors.ts';
import type { ApplicationId, KeyId } from '../core/ids.ts';
import { parseUuid } from '../core/ids.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { TokenIssuer } from '../core/ports/secrets.ts';
import type { Scope } from '../core/principal.ts';
import { keyNotFound } from '../core/refusals.ts';
import type { Access, ApplicationSettings } from '../engine/index.ts';
import {
  applicationView,
  ChangeApplicationBody,
  CreateApplicationBody,
  CreateKeyBody,
  type Finding,
  keyView,
  type ServerFacts,
  TokenBody,
} from './control-wire.ts';
import { createErrorHandler } from './error-handler.ts';
import { useJsonBodies } from './json-body.ts';
import { problemShape } from './problem.ts';
import { formatTime } from './time.ts';
import { useValidation, withoutCompilers } from './validator.ts';

const BODY_BYTES = 65_536;
const KEYS_PER_PAGE = 500;

/** What the command can ask of a server. */
export interface ControlOptions {
  readonly access: Access;
  readonly clock: Clock;
  readonly log: FastifyBaseLogger;
  /** Signs tokens like those of `access`, or any that the server accepts. */
  readonly issueToken: TokenIssuer['issue'];
  readonly facts: ServerFacts;
  /** Looks at settings and surroundings; takes some seconds. */
  readonly examine: (signal: AbortSignal) => Promise<readonly Finding[]>;
}

/** The API of the `polylogue` command. It asks for no credentials: serve it only where the asker has proven itself, as a private socket does. */
export function createControl(options: ControlOptions): FastifyInstance {
  const app = Fastify({
    loggerInstance: options.log,
    schemaController: withoutCompilers,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    bodyLimit: BODY_BYTES,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
  });
  useJsonBodies(app);
  useValidation(app);
  app.setErrorHandler(createErrorHandler(problemShape));
  app.setNotFoundHandler(() => {
    throw new AppError('route_not_found', 'This server does not know the command: it is of another version than "polylogue".');
  });
  registerKeys(app, options);
  registerApplications(app, options);
  registerRest(app, options);
  return app;
}

function registerKeys(app: FastifyInstance, { access, clock }: ControlOptions): void {
  app.get<{ Querystring: { application?: string; after?: string } }>('/keys', async ({ query }) => {
    const after = query.after === undefined ? null : parseUuid<KeyId>(query.after);
    const keys = await access.listKeys((query.application as ApplicationId | undefined) ?? null, { limit: KEYS_PER_PAGE, after });
    return { data: keys.map(keyView), next: keys.length < KEYS_PER_PAGE ? null : (keys.at(-1)?.id ?? null) };
  });
  app.post<{ Body: CreateKeyBody }>('/keys', { schema: { body: CreateKeyBody } }, async (request, reply) => {
    const { application, name, scopes, dialects = null, user_id = null, tier = null, expires_in } = request.body;
    const { key, secret } = await access.createKey({
      applicationId: application as ApplicationId,
      name,
      // The engine checks them.
      scopes: scopes as readonly Scope[],
      dialects,
      userId: user_id,
      tier,
      expiresAt: expires_in === undefined ? null : clock.now() + expires_in * 1000,
    });
    return reply.code(201).send({ ...keyView(key), key: secret });
  });
  app.delete<{ Params: { id: string } }>('/keys/:id', async (request) => {
    const id = parseUuid<KeyId>(request.params.id);
    if (id === null) throw keyNotFound();
    return keyView(await access.revokeKey(null, id));
  });
}

function registerApplications(app: FastifyInstance, { access }: ControlOptions): void {
  app.get('/applications', async () => ({ data: (await access.listApplications()).map(applicationView) }));
  app.post<{ Body: CreateApplicationBody }>('/applications', { schema: { body: CreateApplicationBody } }, async (request, reply) => {
    const { id, ...settings } = request.body;
    const application = await access.createApplication(id as ApplicationId, settingsOf(settings));
    return reply.code(201).send(applicationView(application));
  });
  app.patch<{ Params: { id: string }; Body: ChangeApplicationBody }>(
    '/applications/:id',
    { schema: { body: ChangeApplicationBody } },
    async (request) => {
      const id = request.params.id as ApplicationId;
      return applicationView(await access.changeApplication(id, settingsOf(request.body)));
    },
  );
}

function settingsOf({ jwks_url, ...settings }: ChangeApplicationBody): ApplicationSettings {
  return { ...settings, ...(jwks_url !== undefined && { jwksUrl: jwks_url }) };
}

function registerRest(app: FastifyInstance, { issueToken, facts, examine }: ControlOptions): void {
  app.get('/server', async () => facts);
  app.get('/findings', async (request) => {
    const gone = new AbortController();
    request.raw.socket.once('close', () => gone.abort());
    return { data: await examine(gone.signal) };
  });
  app.post<{ Body: TokenBody }>('/tokens', { schema: { body: TokenBody } }, async (request, reply) => {
    const { application, user_id: userId, expires_in: expiresInSeconds } = request.body;
    const { token, expiresAt } = await issueToken({ applicationId: application as ApplicationId, userId, keyId: null, expiresInSeconds });
    return reply.code(201).send({ token, user_id: userId, expires_at: formatTime(expiresAt) });
  });
}
