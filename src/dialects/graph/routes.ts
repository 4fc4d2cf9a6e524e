import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { textOf } from '../../core/message.ts';
import type { Started } from '../../engine/index.ts';
import { unlessRevoked } from '../../http/current-credential.ts';
import type { DialectDeps } from '../../http/dialect.ts';
import { readRepeatKey } from '../../http/idempotency.ts';
import { readHistory } from '../../http/message-history.ts';
import { noteRate } from '../../http/rate-headers.ts';
import { awaitAnswer } from '../../http/run-answer.ts';
import { readStreamCursor, STREAM_START } from '../../http/stream-cursor.ts';
import { graphStream } from './encode.ts';
import { callerFor, nameRun, threadIn } from './request.ts';
import { nodesVisited, toRunMetadata, toStartRun, toThreadHistory } from './translate.ts';
import { CreateThreadBody, checkSize, RunBody } from './wire.ts';

const NAME = 'graph';

/** Adds the protocol's routes to its scope; threads answer at two addresses. */
export function registerRoutes(scope: FastifyInstance, deps: DialectDeps): void {
  const run = { schema: { body: RunBody } };
  scope.post('/graph/invoke', run, (request, reply) => invoke(deps, request, reply));
  scope.post('/graph/stream', run, (request, reply) => stream(deps, request, reply));
  scope.get('/graph/health', (request, reply) => health(deps, request, reply));
  const create = { schema: { body: CreateThreadBody }, preValidation: takeMissingBodyAsEmpty };
  for (const path of ['/threads', '/graph/threads']) {
    scope.post(path, create, (request, reply) => createThread(deps, request, reply));
    scope.get(`${path}/:thread_id`, (request, reply) => showThread(deps, request, reply));
    scope.delete(`${path}/:thread_id`, (request, reply) => deleteThread(deps, request, reply));
  }
}

async function takeMissingBodyAsEmpty(request: FastifyRequest): Promise<void> {
  request.body ??= {};
}

interface Asked {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly streams: boolean;
}

async function start({ engine, door, eventStreams }: DialectDeps, { request, reply, streams }: Asked): Promise<Started> {
  const body = request.body as RunBody;
  const call = { owner: await callerFor(door, request, body.user_id), repeat: readRepeatKey(request, NAME) };
  if (streams) eventStreams.admit(reply);
  const started = await engine.runs.start({ ...toStartRun(engine, body, call), ...unlessRevoked(request) });
  noteRate(request, started.rate);
  if (started.replayed) reply.header('idempotent-replayed', 'true');
  nameRun(reply, started.run);
  return started;
}

async function invoke(deps: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const { run, message } = await awaitAnswer(deps, (await start(deps, { request, reply, streams: false })).run, { request, reply });
  return {
    response: textOf(message.parts),
    thread_id: run.threadId,
    model: run.snapshot.model,
    metadata: toRunMetadata(await nodesVisited(deps.engine, run.id)),
  };
}

async function stream(deps: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const place = readStreamCursor(request, null);
  const { run, replayed } = await start(deps, { request, reply, streams: true });
  // A position in another run's stream says nothing about a new one.
  const cursor = (replayed && place) || STREAM_START;
  const respond = () => deps.eventStreams.open(reply, graphStream);
  await deps.runStreams.open({ runId: run.id, format: graphStream, cursor, respond });
}

async function createThread({ engine, door }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const { user_id, metadata } = request.body as CreateThreadBody;
  checkSize('metadata', metadata);
  const create = { owner: await callerFor(door, request, user_id), repeat: readRepeatKey(request, NAME), metadata: metadata ?? {} };
  const { thread, replayed } = await engine.threads.create({ ...create, agent: engine.agents.graph });
  if (replayed) reply.header('idempotent-replayed', 'true');
  reply.header('x-thread-id', thread.id);
  return { thread_id: thread.id, metadata: thread.metadata };
}

async function showThread(deps: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const { engine } = deps;
  const { owner, id } = await threadIn(deps, request);
  const thread = await engine.threads.find(owner, { id });
  const history = await readHistory(engine, { owner, ref: { id } });
  reply.header('x-thread-id', id);
  return toThreadHistory(thread, history);
}

async function deleteThread(deps: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const { owner, id } = await threadIn(deps, request);
  await deps.engine.threads.delete(owner, { id });
  reply.header('x-thread-id', id);
  return { deleted: true, success: true, thread_id: id };
}

async function health({ engine, door }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  await callerFor(door, request, null);
  const state = await engine.readiness();
  if (!state.ready) reply.code(503).header('retry-after', '5');
  const { name, provider } = engine.models.find(engine.models.defaultModel);
  const graph_id = engine.agents.graph;
  return { healthy: state.ready, status: state.ready ? 'ok' : state.reason, graph_id, provider, model: name };
}
