import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../core/errors.ts';
import { parseUuid, type RunId } from '../../core/ids.ts';
import type { Caller, Principal } from '../../core/principal.ts';
import type { Run } from '../../core/run.ts';
import { unlessRevoked } from '../../http/current-credential.ts';
import type { DialectDeps } from '../../http/dialect.ts';
import { mayActForAll } from '../../http/doorkeeper.ts';
import { readRepeatKey } from '../../http/idempotency.ts';
import { noteRate } from '../../http/rate-headers.ts';
import { serializeFrame } from '../../http/sse.ts';
import { readStreamCursor, STREAM_START } from '../../http/stream-cursor.ts';
import type { Frame } from '../../http/stream-format.ts';
import { noteUser } from '../../http/visit.ts';
import { errorFrame, leviaStream } from './encode.ts';
import { threadIdOf, toStartRun } from './translate.ts';
import { readChatBody, readCreateBody } from './wire.ts';

const NAME = 'levia';
const PRINCIPAL = 'leviaPrincipal';

/** Adds the four routes of the protocol to its scope. */
export function registerRoutes(scope: FastifyInstance, deps: DialectDeps): void {
  scope.decorateRequest(PRINCIPAL);
  scope.addHook('onRequest', async (request) => {
    const options = request.method === 'GET' ? { queryNames: { api_key: 'key' } as const } : {};
    request.setDecorator(PRINCIPAL, await deps.door.authenticate(request, options));
  });
  scope.post('/create', (request, reply) => createSession(deps, request, reply));
  scope.post('', (request, reply) => chat(deps, request, reply));
  scope.get('/stream/:request_id', (request, reply) => stream(deps, request, reply));
  scope.get('/request/:user_id', (request, reply) => activeRequest(deps, request, reply));
}

function principalOf(request: FastifyRequest): Principal {
  return request.getDecorator<Principal>(PRINCIPAL);
}

/** The caller for whom a request names `userId`; null when its credential speaks for another user only, whose request it still is. */
async function callerFor({ door }: DialectDeps, request: FastifyRequest, userId: string): Promise<Caller | null> {
  const principal = principalOf(request);
  const isForeign = principal.kind === 'user' && principal.userId !== userId;
  const caller = await door.callerOf(request, principal, isForeign ? null : userId);
  return isForeign ? null : caller;
}

function paramOf(request: FastifyRequest, name: string): string {
  return (request.params as Readonly<Record<string, string>>)[name] ?? '';
}

async function createSession(deps: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const { engine, settings } = deps;
  const { user_id } = readCreateBody(request.body);
  const owner = await callerFor(deps, request, user_id);
  if (!owner) throw new AppError('auth_invalid', 'The token belongs to another user.');
  const repeat = readRepeatKey(request, NAME);
  const { thread, replayed } = await engine.threads.create({ owner, carryTurns: settings.carryTurns, repeat });
  if (replayed) reply.header('idempotent-replayed', 'true');
  reply.code(201).header('x-thread-id', thread.id);
  return { status: 'success', session_id: thread.id, message: 'New chat session created' };
}

async function chat(deps: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const { engine } = deps;
  const body = readChatBody(request.body);
  const owner = await callerFor(deps, request, body.user_id);
  const id = threadIdOf(body);
  if (!owner || !id) throw unknownSession();
  const start = { ...toStartRun(owner, body, { id, repeat: readRepeatKey(request, NAME) }), ...unlessRevoked(request) };
  const { run, replayed, rate } = await engine.runs.start(start).catch(async (error: unknown) => {
    const known =
      isCode(error, 'thread_not_found') && mayActForAll(principalOf(request)) && (await engine.threads.existsInApplication(owner, id));
    if (known) throw new AppError('thread_not_found', 'Session ID does not belong to this user', { cause: error });
    throw isCode(error, 'thread_not_found') ? unknownSession(error) : error;
  });
  noteRate(request, rate);
  if (replayed) reply.header('idempotent-replayed', 'true');
  nameRun(reply, run).code(202);
  return {
    status: 'success',
    request_id: run.id,
    message: `Processing started, connect to /levia/chat/stream/${run.id} for updates`,
  };
}

async function stream(deps: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  try {
    const cursor = readStreamCursor(request, null) ?? STREAM_START;
    const run = await findRun(deps, request);
    nameRun(reply, run);
    const respond = () => deps.eventStreams.open(reply, leviaStream);
    await deps.runStreams.open({ runId: run.id, format: leviaStream, cursor, respond });
  } catch (error) {
    // The documented client never looks at a status: these two failures reach it as a frame or not at all.
    if (isCode(error, 'run_not_found')) sendOnly(deps, reply, errorFrame('Invalid or expired request ID'));
    else if (isCode(error, 'cursor_invalid')) sendOnly(deps, reply, errorFrame('Invalid Last-Event-ID'));
    else throw error;
  }
}

async function activeRequest(deps: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const owner = await callerFor(deps, request, paramOf(request, 'user_id'));
  const run = owner && (await deps.engine.runs.active(owner));
  if (!run) throw new AppError('run_not_found', 'No active request found for this user');
  nameRun(reply, run);
  return { status: 'success', request_id: run.id };
}

async function findRun({ engine, door }: DialectDeps, request: FastifyRequest): Promise<Run> {
  const principal = principalOf(request);
  const caller = await door.callerOf(request, principal, null);
  const id = parseUuid<RunId>(paramOf(request, 'request_id'));
  if (!id) throw new AppError('run_not_found', 'There is no such run.');
  if (!mayActForAll(principal)) return engine.runs.find(caller, id);
  const run = await engine.runs.findInApplication(caller, id);
  // Nobody has named the user whose stream it will be.
  noteUser(request, run.owner);
  return run;
}

function nameRun(reply: FastifyReply, run: Run): FastifyReply {
  return reply.header('x-thread-id', run.threadId).header('x-run-id', run.id);
}

function sendOnly({ eventStreams }: DialectDeps, reply: FastifyReply, frame: Frame): void {
  const response = eventStreams.open(reply, leviaStream);
  response.write(serializeFrame(frame, null));
  response.end();
}

function isCode(error: unknown, code: AppError['code']): error is AppError {
  return error instanceof AppError && error.code === code;
}

function unknownSession(cause?: unknown): AppError {
  return new AppError('thread_not_found', 'Session ID does not exist or has expired', { cause });
}
