import type { MessageId } from '../../core/ids.ts';
import type { Message } from '../../core/message.ts';
import type { RunContext } from '../../core/ports/message-store.ts';
import type { BeginRun } from '../../core/ports/store.ts';
import type { Run } from '../../core/run.ts';
import { MAX_HISTORY } from './assemble.ts';

/**
 * What a run's model may see of a thread that was made with the run: the messages that were stored with it. Null where there may be more, so
 * that it has to be read: in a thread that was there, or whose name somebody else may have known, or behind turns of an earlier one.
 */
export function contextOfNew({ thread, ask, now }: Pick<BeginRun, 'thread' | 'ask' | 'now'>, run: Run): RunContext | null {
  if (!('create' in thread) || ask.kind !== 'append') return null;
  const { key, id, carryTurns } = thread.create;
  if (carryTurns > 0 || (id as string) !== key) return null;
  const first = run.answerSeq - ask.messages.length;
  let parentId: MessageId | null = null;
  const messages: Message[] = [];
  for (const [index, message] of ask.messages.entries()) {
    messages.push({ ...said, ...message, threadId: run.threadId, seq: first + index, parentId, createdAt: now });
    parentId = message.id;
  }
  return { messages: messages.slice(-MAX_HISTORY), hasFiles: false };
}

/** What messages have in common that no run has made. */
const said = { status: 'completed', runId: null, model: null, usage: null } as const;
