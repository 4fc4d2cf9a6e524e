import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Run } from '../../core/run.ts';
import { unlessRevoked } from '../../http/current-credential.ts';
import type { DialectDeps } from '../../http/dialect.ts';
import { readRepeatKey } from '../../http/idempotency.ts';
import { createQueryReader } from '../../http/query.ts';
import { noteRate } from '../../http/rate-headers.ts';
import { awaitAnswer } from '../../http/run-answer.ts';
import { readStreamCursor, STREAM_START, type StreamCursor } from '../../http/stream-cursor.ts';
import type { Exchange } from '../../http/while-awaited.ts';
import { callerIn, nameRun, runIn, threadIn } from './request.ts';
import { nativeStream, toMessageView, toRunView, toStartRun } from './translate.ts';
import { StartRunBody } from './wire.ts';

/** Adds starting, watching and cancelling runs. */
export function registerRunRoutes(scope: FastifyInstance, deps: DialectDeps): void {
  scope.post('/threads/:thread_id/runs', { schema: { body: StartRunBody } }, (request, reply) => startRun(deps, request, reply));
  scope.get('/runs/:run_id', (request, reply) => showRun(deps, request, reply));
  scope.post('/runs/:run_id/cancel', (request, reply) => cancelRun(deps, request, reply));
  scope.get('/runs/:run_id/events', (request, reply) => showEvents(deps, request, reply));
}

async function startRun(deps: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const call = { owner: callerIn(request), thread: threadIn(request), repeat: readRepeatKey(request, 'native') };
  const { run, replayed, rate } = await deps.engine.runs.start({
    ...toStartRun(request.body as StartRunBody, call),
    ...unlessRevoked(request),
  });
  noteRate(request, rate);
  if (replayed) reply.header('idempotent-replayed', 'true');
  nameRun(reply, run);
  if (prefersAnswer(request)) return showAnswer(deps, run, { request, reply });
  reply.code(202).header('location', `/polylogue/v1/runs/${run.id}`);
  return toRunView(run);
}

/** RFC 7240: `Prefer: respond-sync`, perhaps among other preferences. */
function prefersAnswer(request: FastifyRequest): boolean {
  const preferences = String(request.headers.prefer ?? '').split(/[,;]/);
  return preferences.some((preference) => preference.trim().toLowerCase() === 'respond-sync');
}

async function showAnswer(deps: DialectDeps, started: Run, exchange: Exchange): Promise<object> {
  const { run, message } = await awaitAnswer(deps, started, exchange);
  exchange.reply.header('preference-applied', 'respond-sync');
  return { ...toRunView(run), answer: toMessageView(message) };
}

async function showRun({ engine }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const run = await engine.runs.find(callerIn(request), runIn(request));
  nameRun(reply, run);
  return toRunView(run);
}

async function cancelRun({ engine }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const run = await engine.runs.cancel(callerIn(request), runIn(request));
  nameRun(reply, run);
  return toRunView(run);
}

async function showEvents(deps: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
  const cursor = wholeEvents(readStreamCursor(request, 'after') ?? STREAM_START);
  const wait = createQueryReader(request.query).flag('wait') ?? true;
  const run = await deps.engine.runs.find(callerIn(request), runIn(request));
  nameRun(reply, run);
  if (!wait) {
    const { events, ended } = await deps.engine.runs.read({ runId: run.id, after: cursor.offset });
    return reply.type('application/json').send(JSON.stringify({ data: events, ended }));
  }
  const respond = () => deps.eventStreams.open(reply, nativeStream);
  await deps.runStreams.open({ runId: run.id, format: nativeStream, cursor, respond });
  return undefined;
}

/** A reader that has a part of an event, from a protocol that cuts them, does not have the event. */
function wholeEvents({ offset, part }: StreamCursor): StreamCursor {
  return { offset: part === null ? offset : Math.max(0, offset - 1), part: null };
}
