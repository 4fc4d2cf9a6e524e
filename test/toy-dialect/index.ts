import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { parseUuid, type RunId, type ThreadId } from '../../src/core/ids.ts';
import type { Caller } from '../../src/core/principal.ts';
import type { Dialect, DialectDeps } from '../../src/http/dialect.ts';
import { createErrorHandler, type ErrorShape } from '../../src/http/error-handler.ts';
import { readRepeatKey } from '../../src/http/idempotency.ts';
import { noteRate } from '../../src/http/rate-headers.ts';
import { readStreamCursor, STREAM_START } from '../../src/http/stream-cursor.ts';
import { toyStream } from './encode.ts';

const CALLER = 'toyCaller';
const SayBody = Type.Object({ words: Type.String({ minLength: 1 }) });
type SayBody = Static<typeof SayBody>;

const toyErrors: ErrorShape = {
  contentType: 'application/json; charset=utf-8',
  body: ({ code }) => ({ oops: code }),
};

/** The smallest useful protocol: what a front door costs. `/toy/rooms` opens a room, `say` asks in it, `hear` streams the answer. */
export const toy: Dialect = {
  name: 'toy',
  purpose: 'Shows what a dialect costs',
  prefixes: ['/toy'],
  register(scope, deps) {
    scope.setErrorHandler(createErrorHandler(toyErrors));
    scope.decorateRequest(CALLER);
    scope.addHook('onRequest', async (request) => {
      request.setDecorator(CALLER, await deps.door.callerOf(request, await deps.door.authenticate(request), null));
    });
    scope.post('/rooms', (request) => openRoom(deps, request));
    scope.post('/rooms/:room/say', { schema: { body: SayBody } }, (request, reply) => say(deps, request, reply));
    scope.get('/hear/:run', (request, reply) => hear(deps, request, reply));
  },
};

const callerIn = (request: FastifyRequest) => request.getDecorator<Caller>(CALLER);
const idIn = <Id extends string>(request: FastifyRequest, name: string) =>
  parseUuid<Id>((request.params as Readonly<Record<string, string>>)[name]) ?? ('none' as Id);

async function openRoom({ engine }: DialectDeps, request: FastifyRequest): Promise<object> {
  const { thread } = await engine.threads.create({ owner: callerIn(request), repeat: readRepeatKey(request, 'toy') });
  return { room: thread.id };
}

async function say({ engine }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const parts = [{ type: 'text', text: (request.body as SayBody).words }] as const;
  const { run, replayed, rate } = await engine.runs.start({
    owner: callerIn(request),
    thread: { id: idIn<ThreadId>(request, 'room') },
    ask: { kind: 'append', messages: [{ role: 'user', parts }] },
    repeat: readRepeatKey(request, 'toy'),
  });
  noteRate(request, rate);
  if (replayed) reply.header('idempotent-replayed', 'true');
  reply.header('x-thread-id', run.threadId).header('x-run-id', run.id);
  return { run: run.id };
}

async function hear({ engine, eventStreams, runStreams }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const run = await engine.runs.find(callerIn(request), idIn<RunId>(request, 'run'));
  reply.header('x-thread-id', run.threadId).header('x-run-id', run.id);
  const respond = () => eventStreams.open(reply, toyStream);
  await runStreams.open({ runId: run.id, format: toyStream, cursor: readStreamCursor(request, null) ?? STREAM_START, respond });
}
