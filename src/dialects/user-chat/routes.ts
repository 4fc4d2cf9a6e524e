import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../core/errors.ts';
import { unlessRevoked } from '../../http/current-credential.ts';
import type { DialectDeps } from '../../http/dialect.ts';
import { readRepeatKey } from '../../http/idempotency.ts';
import { readThreadCursor, writeThreadCursor } from '../../http/list-cursor.ts';
import { readHistory } from '../../http/message-history.ts';
import { createQueryReader } from '../../http/query.ts';
import { noteRate } from '../../http/rate-headers.ts';
import { awaitAnswer } from '../../http/run-answer.ts';
import { callerIn, conversationIn } from './request.ts';
import { toChatAnswer, toConversation, toConversationWithMessages, toStartRun } from './translate.ts';
import { ChatBody, CreateConversationBody, checkContent, readConversationId } from './wire.ts';

const NAME = 'user-chat';
const PAGE = { min: 1, max: 100, default: 20 };
const MAX_CURSOR = 200;
const MAX_ID = 64;

/** Adds the protocol's routes to its scope. */
export function registerRoutes(scope: FastifyInstance, deps: DialectDeps): void {
  const create = { schema: { body: CreateConversationBody }, preValidation: takeMissingBodyAsEmpty };
  scope.post('/chat', { schema: { body: ChatBody } }, (request, reply) => chat(deps, request, reply));
  scope.get('/conversations', (request) => listConversations(deps, request));
  scope.post('/conversations', create, (request, reply) => createConversation(deps, request, reply));
  scope.get('/conversations/:conversation_id', (request, reply) => showConversation(deps, request, reply));
  scope.delete('/conversations/:conversation_id', (request, reply) => deleteConversation(deps, request, reply));
}

async function takeMissingBodyAsEmpty(request: FastifyRequest): Promise<void> {
  request.body ??= {};
}

async function chat(deps: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const { message, conversation_id } = request.body as ChatBody;
  checkContent(message.content);
  const inQuery = createQueryReader(request.query).text('conversation_id', MAX_ID);
  const id = readConversationId(conversation_id, inQuery);
  // The query is part of what is repeated.
  const repeat = readRepeatKey(request, inQuery ? `${NAME} ${inQuery}` : NAME);
  const start = toStartRun(callerIn(request), message.content, { id, repeat });
  const { run, replayed, rate } = await deps.engine.runs.start({ ...start, ...unlessRevoked(request) });
  noteRate(request, rate);
  if (replayed) reply.header('idempotent-replayed', 'true');
  reply.header('x-thread-id', run.threadId).header('x-run-id', run.id);
  return toChatAnswer(await awaitAnswer(deps, run, { request, reply }));
}

async function listConversations({ engine }: DialectDeps, request: FastifyRequest): Promise<object> {
  const reader = createQueryReader(request.query);
  const limit = reader.integer('limit', PAGE);
  const cursor = reader.text('cursor', MAX_CURSOR);
  const found = await engine.threads.list(callerIn(request), {
    limit: limit + 1,
    cursor: cursor === null ? null : readThreadCursor(cursor),
    archived: wantsArchived(reader.text('status', MAX_ID)),
  });
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return { conversations: page.map(toConversation), next_cursor: last && found.length > limit ? writeThreadCursor(last) : null };
}

function wantsArchived(status: string | null): boolean {
  if (status === null || status === 'active' || status === 'archived') return status === 'archived';
  const message = 'must be active or archived';
  throw new AppError('validation_failed', `status ${message}.`, { fields: [{ path: ['status'], message, keyword: 'enum' }] });
}

async function createConversation({ engine }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const { title } = request.body as CreateConversationBody;
  const repeat = readRepeatKey(request, NAME);
  const { thread, replayed } = await engine.threads.create({ owner: callerIn(request), title: title ?? null, repeat });
  if (replayed) reply.header('idempotent-replayed', 'true');
  reply.header('x-thread-id', thread.id);
  return toConversation(thread);
}

async function showConversation({ engine }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const owner = callerIn(request);
  const ref = conversationIn(request);
  const thread = await engine.threads.find(owner, ref);
  const history = await readHistory(engine, { owner, ref });
  reply.header('x-thread-id', ref.id);
  return toConversationWithMessages(thread, history);
}

async function deleteConversation({ engine }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const ref = conversationIn(request);
  await engine.threads.delete(callerIn(request), ref);
  reply.header('x-thread-id', ref.id);
  return { success: true, deleted: true, conversation_id: ref.id };
}
