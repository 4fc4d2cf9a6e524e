import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../core/errors.ts';
import type { ThreadFigures, ThreadFilter } from '../../core/ports/thread-query.ts';
import type { Engine } from '../../engine/index.ts';
import type { DialectDeps } from '../../http/dialect.ts';
import { readRepeatKey } from '../../http/idempotency.ts';
import { type MessageHistory, readHistory } from '../../http/message-history.ts';
import { createQueryReader } from '../../http/query.ts';
import { callerIn, nameThread } from './request.ts';
import { toSession, toSwitched } from './translate.ts';
import { type CreateSessionBody, type HistoryQuery, readHistoryQuery, readSessionNumber, type SwitchModelBody } from './wire.ts';

/** Makes an empty session. */
export async function createSession({ engine }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const { name } = engine.models.find((request.body as CreateSessionBody).model);
  const repeat = readRepeatKey(request, 'chat-sessions');
  const { thread, replayed } = await engine.threads.create({ owner: callerIn(request), model: name, repeat });
  if (replayed) reply.header('idempotent-replayed', 'true');
  nameThread(reply, thread);
  const figures = { messages: 0, lastMessageAt: null, totalTokens: 0 };
  return toSession({ thread, figures, defaultModel: name, messages: [], truncated: false });
}

/** One page of the sessions that are not archived, newest update first, with the number of all that the filters leave. */
export async function showHistory({ engine }: DialectDeps, request: FastifyRequest): Promise<object> {
  const owner = callerIn(request);
  const query = readHistoryQuery(request.query);
  const { page, pageSize } = query;
  const { defaultModel } = engine.models;
  const filter = toFilter(query, defaultModel);
  const total = await engine.threads.count(owner, filter);
  const threads = await engine.threads.list(owner, { ...filter, limit: pageSize, offset: (page - 1) * pageSize, cursor: null });
  const sessions: object[] = [];
  for (const thread of threads) {
    const content = await readContent(engine, { owner, ref: { number: thread.number } }, threads.length);
    if (content) sessions.push(toSession({ thread, defaultModel, ...content }));
  }
  return { total, page, page_size: pageSize, sessions };
}

type Place = Parameters<typeof readHistory>[1];

/** Null for a session that was deleted since it was listed. */
async function readContent(engine: Engine, place: Place, sessions: number): Promise<(MessageHistory & { figures: ThreadFigures }) | null> {
  try {
    const history = await readHistory(engine, place, sessions);
    return { ...history, figures: await engine.threads.measure(place.owner, place.ref) };
  } catch (error) {
    if (error instanceof AppError && error.code === 'thread_not_found') return null;
    throw error;
  }
}

function toFilter({ model, createdAfter, createdBefore, words, tags }: HistoryQuery, defaultModel: string): ThreadFilter {
  return {
    archived: false,
    ...(model !== null && { model, orNoModel: model === defaultModel }),
    ...(createdAfter !== null && { createdAfter }),
    ...(createdBefore !== null && { createdBefore }),
    ...(words !== null && { words }),
    ...(tags.length > 0 && { tags }),
  };
}

/** Names the model of a session's answers from now on; what is being answered goes on with the one it has. */
export async function switchModel({ engine }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const owner = callerIn(request);
  const { session_id, model } = request.body as SwitchModelBody;
  const ref = { number: session_id };
  const thread = await engine.threads.change(owner, ref, { model });
  nameThread(reply, thread).header('x-model', model);
  return toSwitched(thread, await readHistory(engine, { owner, ref }));
}

/** Deletes a session with everything in it, or only hides it. */
export async function removeSession({ engine }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const owner = callerIn(request);
  const { session_id = '' } = request.params as { session_id?: string };
  const ref = { number: readSessionNumber(session_id) };
  const archive = createQueryReader(request.query).flag('archive') ?? false;
  const thread = archive ? await engine.threads.change(owner, ref, { archived: true }) : await engine.threads.find(owner, ref);
  if (!archive) await engine.threads.delete(owner, ref);
  nameThread(reply, thread);
  return { message: `Session ${archive ? 'archived' : 'deleted'} successfully` };
}
