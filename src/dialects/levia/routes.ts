import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../core/errors.ts';
import { parseUuid, type RunId } from '../../core/ids.ts';
import type { Owner, Principal } from '../../core/principal.ts';
import type { Run } from '../../core/run.ts';
import type { Engine } from '../../engine/index.ts';
import { authenticate, ownerOf } from '../../http/authenticate.ts';
import type { DialectDeps } from '../../http/dialect.ts';
import { readRepeatKey } from '../../http/idempotency.ts';
import { serializeFrame } from '../../http/sse.ts';
import { readStreamCursor, STREAM_START } from '../../http/stream-cursor.ts';
import type { Frame } from '../../http/stream-format.ts';
import { errorFrame, leviaStream } from './encode.ts';
import { ownerFor, threadIdOf, toStartRun } from './translate.ts';
import { readChatBody, readCreateBody } from './wire.ts';

const NAME = 'levia';
const PRINCIPAL = 'leviaPrincipal';

/** Adds the four routes of the protocol to its scope. */
export function registerRoutes(scope: FastifyInstance, deps: DialectDeps): void {
  scope.decorateRequest(PRINCIPAL);
  scope.addHook('onRequest', async (request) => {
    const options = request.method === 'GET' ? { queryNames: { api_key: 'key' } as const } : {};
    request.setDecorator(PRINCIPAL, await authenticate(request, { credentials: deps.credentials, ...options }));
  });
  scope.post('/create', (request, reply) => createSession(deps, request, reply));
  scope.post('', (request, reply) => chat(deps, request, reply));
  scope.get('/stream/:request_id', (request, reply) => stream(deps, request, reply));
  scope.get('/request/:user_id', (request, reply) => activeRequest(deps, request, reply));
}

function principalOf(request: FastifyRequest): Principal {
  return request.getDecorator<Principal>(PRINCIPAL);
}

function paramOf(request: FastifyRequest, name: string): string {
  return (request.params as Readonly<Record<string, string>>)[name] ?? '';
}

async function createSession({ engine, settings }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const { user_id } = readCreateBody(request.body);
  const owner = ownerFor(principalOf(request), user_id);
  if (!owner) throw new AppError('auth_invalid', 'The token belongs to another user.');
  const repeat = readRepeatKey(request, NAME);
  const { thread, replayed } = await engine.threads.create({ owner, carryTurns: settings.carryTurns, repeat });
  if (replayed) reply.header('idempotent-replayed', 'true');
  reply.code(201).header('x-thread-id', thread.id);
  return { status: 'success', session_id: thread.id, message: 'New chat session created' };
}

async function chat({ engine }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const body = readChatBody(request.body);
  const principal = principalOf(request);
  const owner = ownerFor(principal, body.user_id);
  const id = threadIdOf(body);
  if (!owner || !id) throw unknownSession();
  const start = toStartRun(owner, body, { id, repeat: readRepeatKey(request, NAME) });
  const { run, replayed } = await engine.runs.start(start).catch(async (error: unknown) => {
    const known = isCode(error, 'thread_not_found') && mayActForAll(principal) && (await engine.threads.existsInApplication(owner, id));
    if (known) throw new AppError('thread_not_found', 'Session ID does not belong to this user', { cause: error });
    throw isCode(error, 'thread_not_found') ? unknownSession(error) : error;
  });
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
    const run = await findRun(deps.engine, principalOf(request), paramOf(request, 'request_id'));
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

async function activeRequest({ engine }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const owner: Owner | null = ownerFor(principalOf(request), paramOf(request, 'user_id'));
  const run = owner && (await engine.runs.active(owner));
  if (!run) throw new AppError('run_not_found', 'No active request found for this user');
  nameRun(reply, run);
  return { status: 'success', request_id: run.id };
}

async function findRun(engine: Engine, principal: Principal, text: string): Promise<Run> {
  const id = parseUuid<RunId>(text);
  if (!id) throw new AppError('run_not_found', 'There is no such run.');
  const owner = ownerOf(principal, null);
  return mayActForAll(principal) ? engine.runs.findInApplication(owner, id) : engine.runs.find(owner, id);
}

function mayActForAll(principal: Principal): boolean {
  return principal.kind === 'key' && principal.actAs;
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
