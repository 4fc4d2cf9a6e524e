import type { MessageId, RunId, ThreadId } from '../../core/ids.ts';
import type { ThreadEvent } from '../../core/thread.ts';
import { type Answers, createAnswers, hasShown, show } from './answers.ts';
import { attempt, type Chat, owed, say } from './chat.ts';
import { isUnknownThread, lastEventOf } from './history.ts';
import type { InOrder } from './in-order.ts';
import { createRecent, forget, type Recent } from './recent.ts';
import { toMessageFrame } from './translate.ts';

const REMEMBERED = 1_000;

/** What one socket shows of one thread. */
export interface ThreadView {
  readonly id: ThreadId;
  readonly answers: Answers;
  /** Messages that the client has, so that they are not told once more. */
  readonly known: Recent<MessageId>;
  /** Whether the client will be told that the thread is deleted in another way. */
  deleting: boolean;
  /** Whether it tells what happens in the thread. */
  watching: boolean;
}

/** A view that tells nothing by itself yet. */
export function createThreadView(id: ThreadId): ThreadView {
  return { id, answers: createAnswers(), known: createRecent(REMEMBERED), deleting: false, watching: false };
}

/**
 * Makes a view tell from now on what happens in the thread, also when it comes to be only later. What it tells waits its turn among the
 * thread's frames.
 */
export async function watch(chat: Chat, view: ThreadView, inOrder: InOrder): Promise<void> {
  if (view.watching) return;
  const after = await lastEventOf(chat.engine, chat.owner, view.id);
  view.watching = true;
  tellAll(chat, view, { after, inOrder });
}

function tellAll(chat: Chat, view: ThreadView, { after, inOrder }: { after: number; inOrder: InOrder }): void {
  const { id } = view;
  const { signal } = chat.connection;
  const onEvents = async (events: readonly ThreadEvent[]) => {
    await inOrder(id, () => attempt(chat, () => tell(chat, view, events), { threadId: id }));
  };
  follow(chat, id, { after, signal, onEvents }).catch((error: unknown) => {
    chat.onFault(error);
    // A socket that would stay silent from now on is of no use: its client connects again.
    chat.connection.close(1011, 'Something went wrong on this server');
  });
}

type ThreadReader = Parameters<Chat['engine']['threads']['follow']>[2];

async function follow({ engine, owner }: Chat, id: ThreadId, reader: ThreadReader): Promise<void> {
  const { signal } = reader;
  for (let after = reader.after; !signal.aborted; after = 0) {
    await engine.threads.untilCreated(owner, id, signal);
    if (signal.aborted) return;
    await engine.threads.follow(owner, { id }, { ...reader, after }).catch((error: unknown) => {
      // Deleted in this very moment: perhaps it comes to be again.
      if (!isUnknownThread(error)) throw error;
    });
  }
}

async function tell(chat: Chat, view: ThreadView, events: readonly ThreadEvent[]): Promise<void> {
  for (const event of events) {
    if (chat.connection.signal.aborted) return;
    switch (event.type) {
      case 'message.added':
        await tellMessage(chat, view, event);
        break;
      case 'run.started':
        await tellRun(chat, view, event.run_id);
        break;
      case 'thread.deleted':
        if (!view.deleting) await say(chat, { type: 'thread_deleted', thread_id: view.id });
        view.deleting = false;
        break;
      case 'run.ended':
      case 'thread.changed':
        break;
    }
  }
}

type MessageAdded = Extract<ThreadEvent, { type: 'message.added' }>;

async function tellMessage(chat: Chat, view: ThreadView, { message_id, role, run_id }: MessageAdded): Promise<void> {
  const isAnswer = role === 'assistant' && run_id !== null;
  const isKnown = forget(view.known, message_id) || (isAnswer && hasShown(view.answers, run_id as RunId));
  if (!isKnown) await say(chat, toMessageFrame(await owed(chat, () => chat.engine.threads.message(chat.owner, message_id))));
  if (!isAnswer && run_id !== null) await tellRun(chat, view, run_id);
}

async function tellRun(chat: Chat, { answers }: ThreadView, runId: string): Promise<void> {
  const id = runId as RunId;
  if (!hasShown(answers, id)) show(chat, answers, { run: await owed(chat, () => chat.engine.runs.find(chat.owner, id)) });
}
