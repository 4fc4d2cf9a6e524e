import { AppError } from '../../core/errors.ts';
import type { MessageId, ThreadId } from '../../core/ids.ts';
import type { Message } from '../../core/message.ts';
import type { Owner } from '../../core/principal.ts';
import type { Run } from '../../core/run.ts';
import type { Engine } from '../../engine/index.ts';
import type { ClientFrame } from './wire.ts';

/** Questions that can wait for an answer at the same time: one that is being answered and a thread's queue. */
const MAX_UNANSWERED = 21;

type HistoryRequest = Extract<ClientFrame, { type: 'history' }>;

interface HistoryPage {
  /** Oldest first. */
  readonly messages: readonly Message[];
  readonly hasMore: boolean;
}

/** A page of a thread's shown branch; a thread that does not exist has none. Rejects with `message_not_found` when `before` is not in it. */
export async function readHistory(engine: Engine, owner: Owner, { threadId, limit, before }: HistoryRequest): Promise<HistoryPage> {
  const branch = before === null ? 'head' : await parentOf(engine, owner, { threadId, messageId: before });
  if (branch === null) return { messages: [], hasMore: false };
  const found = await engine.threads.messages(owner, { id: threadId }, { branch, limit: limit + 1 }).catch(noneIfUnknown);
  return { messages: found.slice(0, limit).reverse(), hasMore: found.length > limit };
}

/** The unfinished runs that answer these messages, in the order of their questions. */
export async function liveRuns(engine: Engine, owner: Owner, messages: readonly Message[]): Promise<readonly Run[]> {
  const answered = new Set(messages.map(({ role, parentId }) => (role === 'assistant' ? parentId : null)));
  const open = messages.filter(({ id, role }) => role === 'user' && !answered.has(id)).slice(-MAX_UNANSWERED);
  const runs = await Promise.all(open.map(({ id }) => engine.runs.liveOf(owner, id)));
  return runs.filter((run) => run !== null);
}

/** Number of a thread's newest event; 0 when there is no such thread yet. */
export async function lastEventOf(engine: Engine, owner: Owner, id: ThreadId): Promise<number> {
  return engine.threads.lastEvent(owner, { id }).catch((error: unknown) => {
    if (isUnknownThread(error)) return 0;
    throw error;
  });
}

/** Whether a call failed because the owner has no such thread. */
export function isUnknownThread(error: unknown): boolean {
  return error instanceof AppError && error.code === 'thread_not_found';
}

function noneIfUnknown(error: unknown): readonly Message[] {
  if (isUnknownThread(error)) return [];
  throw error;
}

interface Place {
  readonly threadId: ThreadId;
  readonly messageId: MessageId;
}

async function parentOf(engine: Engine, owner: Owner, { threadId, messageId }: Place): Promise<MessageId | null> {
  const message = await engine.threads.message(owner, messageId);
  if (message.threadId === threadId) return message.parentId;
  throw new AppError('message_not_found', 'There is no such message in this thread');
}
