import { AppError } from '../../core/errors.ts';
import type { MessageId, ThreadId } from '../../core/ids.ts';
import { type Message, textOf } from '../../core/message.ts';
import type { Owner } from '../../core/principal.ts';
import type { Run } from '../../core/run.ts';
import type { Engine } from '../../engine/index.ts';
import type { ClientFrame } from './wire.ts';

/** Questions that can wait for an answer at the same time: one that is being answered and a thread's queue. */
const MAX_UNANSWERED = 21;
const MESSAGES_PER_READ = 50;
/** Code units of text after which a page ends. */
const MAX_UNITS = 1_000_000;

type HistoryRequest = Extract<ClientFrame, { type: 'history' }>;

interface HistoryPage {
  /** Oldest first. */
  readonly messages: readonly Message[];
  readonly hasMore: boolean;
}

interface HistoryReader {
  readonly owner: Owner;
  /** Ends the reading early: whoever asked is gone. */
  readonly signal: AbortSignal;
}

/**
 * A page of a thread's shown branch, shorter where its messages are long; a thread that does not exist has none. Rejects with
 * `message_not_found` when `before` is not in it.
 */
export async function readHistory(engine: Engine, reader: HistoryReader, request: HistoryRequest): Promise<HistoryPage> {
  const { owner, signal } = reader;
  const { threadId, limit, before } = request;
  const newest: Message[] = [];
  let units = 0;
  let branch: MessageId | 'head' | null = before === null ? 'head' : await parentOf(engine, owner, { threadId, messageId: before });
  while (branch !== null && !signal.aborted) {
    const page: readonly Message[] = await engine.threads
      .messages(owner, { id: threadId }, { branch, limit: MESSAGES_PER_READ })
      .catch(noneIfUnknown);
    for (const message of page) {
      if (newest.length === limit || units > MAX_UNITS) return { messages: newest.reverse(), hasMore: true };
      newest.push(message);
      units += textOf(message.parts).length;
    }
    branch = page.at(-1)?.parentId ?? null;
  }
  return { messages: newest.reverse(), hasMore: false };
}

/** A thread's unfinished runs, in the order of their questions. */
export async function liveRuns(engine: Engine, owner: Owner, threadId: ThreadId): Promise<readonly Run[]> {
  const newest = await engine.threads.messages(owner, { id: threadId }, { branch: 'head', limit: 2 * MAX_UNANSWERED }).catch(noneIfUnknown);
  const answered = new Set(newest.map(({ role, parentId }) => (role === 'assistant' ? parentId : null)));
  const open = newest.filter(({ id, role }) => role === 'user' && !answered.has(id)).slice(0, MAX_UNANSWERED);
  const runs = await Promise.all(open.reverse().map(({ id }) => engine.runs.liveOf(owner, id)));
  return runs.filter((run) => run !== null);
}

/** What the agent greets with that answers in a thread; null when there is none, or it has no words for that. */
export async function greetingOf(engine: Engine, owner: Owner, id: ThreadId): Promise<string | null> {
  const thread = await engine.threads.find(owner, { id }).catch((error: unknown) => {
    if (isUnknownThread(error)) return null;
    throw error;
  });
  const name = thread?.agent ?? engine.agents.default;
  const agent = name === null ? null : await engine.agents.known(owner, name);
  return agent?.greeting ?? null;
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
