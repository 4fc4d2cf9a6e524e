import type { MessageId } from '../core/ids.ts';
import { type Message, textOf } from '../core/message.ts';
import type { Owner } from '../core/principal.ts';
import type { ThreadRef } from '../core/thread.ts';
import type { Engine } from '../engine/index.ts';

const MAX_MESSAGES = 200;
/** Code units of text in one answer, whatever number of threads it shows. */
const MAX_UNITS = 8_000_000;
const MESSAGES_PER_READ = 50;

/** The newest messages of a thread, oldest of them first. */
export interface MessageHistory {
  readonly messages: readonly Message[];
  /** Whether older ones are left out. */
  readonly truncated: boolean;
}

/** Reads the branch of a thread's head as far as one answer that shows `threads` threads may be long: 200 messages, and 8 million code units in all. */
export async function readHistory(
  engine: Pick<Engine, 'threads'>,
  { owner, ref }: { readonly owner: Owner; readonly ref: ThreadRef },
  threads = 1,
): Promise<MessageHistory> {
  const newest: Message[] = [];
  let left = Math.floor(MAX_UNITS / threads);
  for (let branch: MessageId | 'head' = 'head'; ; ) {
    const page: readonly Message[] = await engine.threads.messages(owner, ref, { branch, limit: MESSAGES_PER_READ });
    for (const message of page) {
      left -= textOf(message.parts).length;
      if (newest.length === MAX_MESSAGES || left < 0) return { messages: newest.reverse(), truncated: true };
      newest.push(message);
    }
    const next = page.at(-1)?.parentId ?? null;
    if (next === null) return { messages: newest.reverse(), truncated: false };
    branch = next;
  }
}
