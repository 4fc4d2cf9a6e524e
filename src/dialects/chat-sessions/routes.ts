import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../core/errors.ts';
import type { Owner } from '../../core/principal.ts';
import type { Run } from '../../core/run.ts';
import type { Thread } from '../../core/thread.ts';
import { authenticate, namedUserOf, ownerOf } from '../../http/authenticate.ts';
import type { DialectDeps } from '../../http/dialect.ts';
import { readRepeatKey } from '../../http/idempotency.ts';
import { createQueryReader } from '../../http/query.ts';
import { STREAM_START } from '../../http/stream-cursor.ts';
import { startAnswer } from './answer.ts';
import { rawTokenStream } from './encode.ts';
import { toCompletion, toNewSession } from './translate.ts';
import { CreateSessionBody, readSessionNumber, StreamBody } from './wire.ts';

const NAME = 'chat-sessions';
const OWNER = 'chatSessionsOwner';

/** Adds the protocol's routes to its scope. */
export function registerRoutes(scope: FastifyInstance, deps: DialectDeps): void {
  scope.decorateRequest(OWNER);
  scope.addHook('onRequest', async (request) => {
    const principal = await authenticate(request, { credentials: deps.credentials });
    request.setDecorator(OWNER, ownerOf(principal, namedUserOf(request)));
  });
  scope.post('/stream', { schema: { body: StreamBody } }, (request, reply) => answer(deps, request, reply));
  scope.post('/sessions', { schema: { body: CreateSessionBody } }, (request, reply) => createSession(deps, request, reply));
  scope.delete('/sessions/:session_id', (request, reply) => removeSession(deps, request, reply));
}

function ownerIn(request: FastifyRequest): Owner {
  return request.getDecorator<Owner>(OWNER);
}

async function answer(deps: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object | undefined> {
  const owner = ownerIn(request);
  const body = request.body as StreamBody;
  const { run, thread, replayed } = await startAnswer(deps.engine, { owner, body, repeat: readRepeatKey(request, NAME) });
  if (replayed) reply.header('idempotent-replayed', 'true');
  nameThread(reply, thread).header('x-run-id', run.id).header('x-model', run.snapshot.model);
  if (body.stream === false) return completion(deps, run, reply);
  const respond = () => deps.eventStreams.open(reply, rawTokenStream);
  await deps.runStreams.open({ runId: run.id, format: rawTokenStream, cursor: STREAM_START, respond });
  return undefined;
}

async function completion({ engine, settings }: DialectDeps, run: Run, reply: FastifyReply): Promise<object> {
  const left = new AbortController();
  reply.raw.once('close', () => left.abort());
  const wait = { timeoutMs: settings.answerTimeoutMs, signal: left.signal };
  const ended = await engine.runs.await(run.owner, run.id, wait).catch((error: unknown) => {
    if (!(error instanceof AppError) || error.code !== 'run_timeout') throw error;
    throw new AppError('run_timeout', `The answer is not ready yet. Run ${run.id} goes on; ask for it later.`, { cause: error });
  });
  if (ended.status === 'cancelled') throw new AppError('run_cancelled', 'The answer was cancelled.');
  if (ended.status === 'failed') throw new AppError('run_failed', ended.failure?.detail ?? 'The answer failed.');
  return toCompletion(ended, await engine.threads.message(ended.owner, ended.answerId));
}

async function createSession({ engine }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const { name } = engine.models.find((request.body as CreateSessionBody).model);
  const repeat = readRepeatKey(request, NAME);
  const { thread, replayed } = await engine.threads.create({ owner: ownerIn(request), model: name, repeat });
  if (replayed) reply.header('idempotent-replayed', 'true');
  nameThread(reply, thread);
  return toNewSession(thread);
}

async function removeSession({ engine }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const owner = ownerIn(request);
  const { session_id = '' } = request.params as { session_id?: string };
  const ref = { number: readSessionNumber(session_id) };
  const archive = createQueryReader(request.query).flag('archive') ?? false;
  const thread = archive ? await engine.threads.change(owner, ref, { archived: true }) : await engine.threads.find(owner, ref);
  if (!archive) await engine.threads.delete(owner, ref);
  nameThread(reply, thread);
  return { message: `Session ${archive ? 'archived' : 'deleted'} successfully` };
}

function nameThread(reply: FastifyReply, thread: Thread): FastifyReply {
  return reply.header('x-session-id', String(thread.number)).header('x-thread-id', thread.id);
}
