import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ThreadQuery } from '../../core/ports/thread-query.ts';
import type { DialectDeps } from '../../http/dialect.ts';
import type { EventStream } from '../../http/event-stream.ts';
import { readRepeatKey } from '../../http/idempotency.ts';
import { readMessageCursor, readThreadCursor, writeMessageCursor, writeThreadCursor } from '../../http/list-cursor.ts';
import { createQueryReader } from '../../http/query.ts';
import { readTags } from '../../http/read-tags.ts';
import { createReaderBound, type ReaderBound } from '../../http/reader-bound.ts';
import { readSearch } from '../../http/search-query.ts';
import { readStreamCursor } from '../../http/stream-cursor.ts';
import type { Exchange } from '../../http/while-awaited.ts';
import { callerIn, threadIn, toMessageId } from './request.ts';
import { nativeStream, toMessageView, toThreadFrames, toThreadView } from './translate.ts';
import { ChangeThreadBody, CreateThreadBody, checkMetadata, HeadBody } from './wire.ts';

const PAGE = { min: 1, max: 100, default: 20 };
/** Streams of one thread's events. */
const MAX_FOLLOWERS = 1_000;

/** Adds everything about threads and their messages but starting runs. */
export function registerThreadRoutes(scope: FastifyInstance, deps: DialectDeps): void {
  const create = { schema: { body: CreateThreadBody }, preValidation: takeMissingBodyAsEmpty };
  scope.get('/threads', (request) => listThreads(deps, request));
  scope.post('/threads', create, (request, reply) => createThread(deps, request, reply));
  scope.get('/threads/:thread_id', (request, reply) => showThread(deps, request, reply));
  scope.patch('/threads/:thread_id', { schema: { body: ChangeThreadBody } }, (request, reply) => changeThread(deps, request, reply));
  scope.delete('/threads/:thread_id', (request, reply) => deleteThread(deps, request, reply));
  scope.get('/threads/:thread_id/messages', (request, reply) => listMessages(deps, request, reply));
  scope.put('/threads/:thread_id/head', { schema: { body: HeadBody } }, (request, reply) => setHead(deps, request, reply));
  const followers = createReaderBound(MAX_FOLLOWERS);
  scope.get('/threads/:thread_id/events', (request, reply) => followThread(deps, followers, { request, reply }));
}

async function takeMissingBodyAsEmpty(request: FastifyRequest): Promise<void> {
  request.body ??= {};
}

async function listThreads({ engine }: DialectDeps, request: FastifyRequest): Promise<object> {
  const { limit, ...query } = readThreadQuery(request.query);
  const found = await engine.threads.list(callerIn(request), { ...query, limit: limit + 1 });
  const data = found.slice(0, limit);
  const last = data.at(-1);
  return { data: data.map(toThreadView), next_cursor: last && found.length > limit ? writeThreadCursor(last) : null };
}

function readThreadQuery(query: unknown): ThreadQuery {
  const reader = createQueryReader(query);
  const words = readSearch(reader, 'q');
  const cursor = reader.text('cursor', 200);
  const model = reader.text('model', 255) || null;
  const tags = readTags(reader, 'tag');
  const before = reader.time('before');
  const after = reader.time('after');
  return {
    limit: reader.integer('limit', PAGE),
    cursor: cursor === null ? null : readThreadCursor(cursor),
    archived: reader.flag('archived') ?? false,
    ...(model !== null && { model }),
    ...(words !== null && { words }),
    ...(tags.length > 0 && { tags }),
    ...(before !== null && { createdBefore: before }),
    ...(after !== null && { createdAfter: after }),
  };
}

async function createThread({ engine }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const body = request.body as CreateThreadBody;
  checkMetadata(body.metadata);
  const { thread, replayed } = await engine.threads.create({ owner: callerIn(request), ...body, repeat: readRepeatKey(request, 'native') });
  if (replayed) reply.header('idempotent-replayed', 'true');
  reply.code(201).header('location', `/polylogue/v1/threads/${thread.id}`).header('x-thread-id', thread.id);
  return toThreadView(thread);
}

async function showThread({ engine }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const thread = await engine.threads.find(callerIn(request), threadIn(request));
  reply.header('x-thread-id', thread.id);
  return toThreadView(thread);
}

async function changeThread({ engine }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const changes = request.body as ChangeThreadBody;
  checkMetadata(changes.metadata);
  const thread = await engine.threads.change(callerIn(request), threadIn(request), changes);
  reply.header('x-thread-id', thread.id);
  return toThreadView(thread);
}

async function deleteThread({ engine }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const thread = threadIn(request);
  await engine.threads.delete(callerIn(request), thread);
  await reply.code(204).header('x-thread-id', thread.id).send();
}

async function listMessages({ engine }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const thread = threadIn(request);
  const reader = createQueryReader(request.query);
  const limit = reader.integer('limit', PAGE);
  const cursor = reader.text('cursor', 200);
  const branch = reader.text('branch', 64);
  const shown = branch === null || branch === 'head' ? 'head' : toMessageId(branch);
  const found = await engine.threads.messages(callerIn(request), thread, {
    branch: cursor === null ? shown : readMessageCursor(cursor),
    limit: limit + 1,
  });
  const next = found[limit];
  reply.header('x-thread-id', thread.id);
  return { data: found.slice(0, limit).map(toMessageView), next_cursor: next ? writeMessageCursor(next.id) : null };
}

async function setHead({ engine }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const { message_id } = request.body as HeadBody;
  const thread = await engine.threads.setHead(callerIn(request), threadIn(request), toMessageId(message_id));
  reply.header('x-thread-id', thread.id);
  return toThreadView(thread);
}

async function followThread({ engine, eventStreams }: DialectDeps, bound: ReaderBound, { request, reply }: Exchange): Promise<void> {
  const owner = callerIn(request);
  const ref = threadIn(request);
  const cursor = readStreamCursor(request, 'after');
  const newest = await engine.threads.lastEvent(owner, ref);
  const leave = bound.admit(`${owner.applicationId} ${ref.id} ${owner.userId}`);
  try {
    reply.header('x-thread-id', ref.id);
    const { id, log } = request;
    const onFault = (err: unknown) => log.error({ request_id: id, err }, 'thread events broke off');
    const stream = eventStreams.open(reply, { ...nativeStream, lasting: true });
    const ends = { onFault, leave };
    void tellEvents(stream, ends, (reader) => engine.threads.follow(owner, ref, { after: cursor?.offset ?? newest, ...reader }));
  } catch (error) {
    leave();
    throw error;
  }
}

type ThreadReader = Parameters<DialectDeps['engine']['threads']['follow']>[2];

/** Goes on by itself, so that nothing of the request is kept for as long as its stream is open. */
function tellEvents(
  stream: EventStream,
  { onFault, leave }: { readonly onFault: (error: unknown) => void; readonly leave: () => void },
  follow: (reader: Omit<ThreadReader, 'after'>) => Promise<void>,
): Promise<void> {
  const onEvents: ThreadReader['onEvents'] = (events) => {
    stream.write(toThreadFrames(events));
    return stream.needsDrain() ? stream.drained() : undefined;
  };
  const end = () => {
    leave();
    stream.end();
  };
  return follow({ signal: stream.signal, onEvents }).then(end, (error: unknown) => {
    leave();
    if (!stream.signal.aborted) onFault(error);
    stream.destroy();
  });
}
