import { AppError } from '../../core/errors.ts';
import type { RunId } from '../../core/ids.ts';
import type { Run } from '../../core/run.ts';
import { STREAM_START } from '../../http/stream-cursor.ts';
import { createWebSocketStream } from '../../http/web-socket-stream.ts';
import { attempt, type Chat, owed, say } from './chat.ts';
import { chatWsFormat } from './encode.ts';
import { createRecent } from './recent.ts';
import { toMessageFrame } from './translate.ts';

const REMEMBERED = 100;

/** Shows a thread's answers on a socket, one after the other, as the thread gives them. */
export interface Answers {
  /** Whether the answer's end will still be told. */
  isShowing(id: RunId): boolean;
  /** Whether the answer was shown or is being shown. */
  hasShown(id: RunId): boolean;
  /** Shows an answer from its start, behind those before it; one that was shown already only when `again`. */
  show(run: Run, options?: { readonly again: boolean }): void;
  /** Breaks off what is being shown, and forgets that it was. */
  breakOff(): void;
}

export function createAnswers(chat: Chat): Answers {
  const shown = createRecent<RunId>(REMEMBERED);
  const showing = new Map<RunId, AbortController>();
  let last: Promise<void> = Promise.resolve();

  async function showNext(run: Run, stop: AbortController): Promise<void> {
    if (!stop.signal.aborted) await attempt(chat, () => showAnswer(chat, run, stop.signal), { threadId: run.threadId, jobId: run.id });
    if (showing.get(run.id) === stop) showing.delete(run.id);
  }

  return {
    isShowing: (id) => showing.has(id),
    hasShown: (id) => shown.has(id),
    show(run, { again } = { again: false }) {
      if (showing.has(run.id) || (shown.has(run.id) && !again)) return;
      const stop = new AbortController();
      shown.add(run.id);
      showing.set(run.id, stop);
      last = last.then(() => showNext(run, stop));
    },
    breakOff() {
      for (const [id, stop] of showing) {
        stop.abort();
        shown.delete(id);
      }
      showing.clear();
    },
  };
}

async function showAnswer(chat: Chat, run: Run, signal: AbortSignal): Promise<void> {
  const stream = createWebSocketStream(chat.connection, signal);
  await chat.runStreams.open({ runId: run.id, format: chatWsFormat, cursor: STREAM_START, respond: () => stream });
  if (!stream.hasEnded) return;
  try {
    const message = await owed(chat, () => chat.engine.threads.message(run.owner, run.answerId));
    if (message.status !== 'failed' && !signal.aborted) await say(chat, toMessageFrame(message));
  } catch (error) {
    if (!(error instanceof AppError && error.code === 'message_not_found')) throw error;
    const job = { thread_id: run.threadId, job_id: run.id };
    if (!signal.aborted) await say(chat, { type: 'error', message: 'The thread was deleted', code: 'run_cancelled', ...job });
  }
}
