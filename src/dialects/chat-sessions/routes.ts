import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { unlessRevoked } from '../../http/current-credential.ts';
import type { DialectDeps } from '../../http/dialect.ts';
import { readRepeatKey } from '../../http/idempotency.ts';
import { noteRate } from '../../http/rate-headers.ts';
import { awaitAnswer } from '../../http/run-answer.ts';
import { STREAM_START } from '../../http/stream-cursor.ts';
import { startAnswer } from './answer.ts';
import { rawTokenStream } from './encode.ts';
import { registerMetadataRoutes } from './metadata-routes.ts';
import { registerPromptRoutes } from './prompt-routes.ts';
import { callerIn, nameThread, requireCaller } from './request.ts';
import { createSession, removeSession, showHistory, switchModel } from './session-routes.ts';
import { toCompletion } from './translate.ts';
import { registerUploadRoutes } from './upload-routes.ts';
import { CreateSessionBody, StreamBody, SwitchModelBody } from './wire.ts';

const NAME = 'chat-sessions';

/** Adds the protocol's routes to its scope. */
export function registerRoutes(scope: FastifyInstance, deps: DialectDeps): void {
  requireCaller(scope, deps.door);
  scope.post('/stream', { schema: { body: StreamBody } }, (request, reply) => answer(deps, request, reply));
  scope.get('/history', (request) => showHistory(deps, request));
  scope.post('/switch-model', { schema: { body: SwitchModelBody } }, (request, reply) => switchModel(deps, request, reply));
  scope.post('/sessions', { schema: { body: CreateSessionBody } }, (request, reply) => createSession(deps, request, reply));
  scope.delete('/sessions/:session_id', (request, reply) => removeSession(deps, request, reply));
  registerMetadataRoutes(scope, deps);
  registerPromptRoutes(scope, deps);
  registerUploadRoutes(scope, deps);
}

async function answer(deps: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object | undefined> {
  const owner = callerIn(request);
  const body = request.body as StreamBody;
  if (body.stream !== false) deps.eventStreams.admit(reply);
  const asked = { owner, body, repeat: readRepeatKey(request, NAME), ...unlessRevoked(request) };
  const { run, thread, replayed, rate } = await startAnswer(deps.engine, asked);
  noteRate(request, rate);
  if (replayed) reply.header('idempotent-replayed', 'true');
  nameThread(reply, thread).header('x-run-id', run.id).header('x-model', run.snapshot.model);
  if (body.stream === false) return toCompletion(await awaitAnswer(deps, run, { request, reply }));
  const respond = () => deps.eventStreams.open(reply, rawTokenStream);
  await deps.runStreams.open({ runId: run.id, format: rawTokenStream, cursor: STREAM_START, respond });
  return undefined;
}
