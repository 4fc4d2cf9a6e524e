import { AppError } from '../../core/errors.ts';
import type { RunId } from '../../core/ids.ts';
import type { Run } from '../../core/run.ts';
import { STREAM_START } from '../../http/stream-cursor.ts';
import { createWebSocketStream } from '../../http/web-socket-stream.ts';
import { attempt, type Chat, owed, say } from './chat.ts';
import { chatWsFormat } from './encode.ts';
import { createRecent, forget, isNoted, note, type Recent } from './recent.ts';
import { toMessageFrame } from './translate.ts';

const REMEMBERED = 100;

/** A thread's answers as a socket shows them: one after the other, as the thread gives them. */
export interface Answers {
  readonly shown: Recent<RunId>;
  /** Null when none is. */
  showing: Map<RunId, AbortController> | null;
  last: Promise<void>;
}

const done = Promise.resolve();

/** None yet. */
export function createAnswers(): Answers {
  return { shown: createRecent(REMEMBERED), showing: null, last: done };
}

/** Whether the answer's end will still be told. */
export function isShowing({ showing }: Answers, id: RunId): boolean {
  return showing?.has(id) ?? false;
}

/** Whether the answer was shown or is being shown. */
export function hasShown({ shown }: Answers, id: RunId): boolean {
  return isNoted(shown, id);
}

/** Shows an answer from its start, behind those before it; one that was shown already only when `again`. */
export function show(chat: Chat, answers: Answers, { run, again = false }: { readonly run: Run; readonly again?: boolean }): void {
  if (isShowing(answers, run.id) || (hasShown(answers, run.id) && !again)) return;
  const stop = new AbortController();
  note(answers.shown, run.id);
  answers.showing ??= new Map();
  answers.showing.set(run.id, stop);
  answers.last = answers.last.then(() => showNext(chat, answers, { run, stop }));
}

/** Breaks off what is being shown, and forgets that it was. */
export function breakOff(answers: Answers): void {
  const { showing, shown } = answers;
  answers.showing = null;
  for (const [id, stop] of showing ?? []) {
    stop.abort();
    forget(shown, id);
  }
}

async function showNext(chat: Chat, answers: Answers, { run, stop }: { run: Run; stop: AbortController }): Promise<void> {
  if (!stop.signal.aborted) await attempt(chat, () => showAnswer(chat, run, stop.signal), { threadId: run.threadId, jobId: run.id });
  if (answers.showing?.get(run.id) !== stop) return;
  answers.showing.delete(run.id);
  if (answers.showing.size === 0) answers.showing = null;
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
