import { AppError } from '../../core/errors.ts';
import type { ThreadId } from '../../core/ids.ts';
import type { DialectDeps } from '../../http/dialect.ts';
import type { Admission } from './admission.ts';
import { breakOff, isShowing, show } from './answers.ts';
import { type Chat, say } from './chat.ts';
import { greetingOf, liveRuns, readHistory } from './history.ts';
import { createInOrder, type InOrder } from './in-order.ts';
import { createPatience } from './patience.ts';
import { note } from './recent.ts';
import { createThreadView, type ThreadView, watch } from './thread-view.ts';
import { greetingFrame, toMessageFrame, toStartRun } from './translate.ts';
import { createTurns, type Turns } from './turns.ts';
import type { ClientFrame } from './wire.ts';

/** Threads that one socket shows at a time; the one not used for longest makes room. */
const MAX_VIEWS = 1_000;
const defaults = { greeting: true, contentBytes: 32_768 };

type Frame<Type extends ClientFrame['type']> = Extract<ClientFrame, { type: Type }>;

/** A socket that was let in, with its settings and what it shows. */
export interface Desk extends Chat, Pick<DialectDeps, 'door'> {
  readonly admission: Admission;
  readonly settings: typeof defaults;
  readonly views: Map<ThreadId, ThreadView>;
  readonly inOrder: InOrder;
  /** Turns in which all sockets make pages of history. */
  readonly pages: Turns;
  /** One page at a time is made for this socket and waits until the client has taken it. */
  readonly ownPage: Turns;
}

interface DeskOptions extends Omit<Chat, 'owner' | 'patience'>, Pick<Desk, 'door' | 'admission' | 'pages'> {
  readonly settings: DialectDeps['settings'];
}

/** A desk that shows nothing yet. Holds no more than it needs, because it lives as long as its socket. */
export function createDesk(options: DeskOptions): Desk {
  const { engine, runStreams, clock, connection, onFault, door, admission, pages, settings } = options;
  const views = new Map<ThreadId, ThreadView>();
  connection.onEnd(() => views.clear());
  return {
    engine,
    runStreams,
    clock,
    connection,
    onFault,
    door,
    admission,
    pages,
    settings: settings.chatWs ?? defaults,
    owner: admission.caller,
    patience: createPatience(clock),
    views,
    inOrder: createInOrder(),
    ownPage: createTurns(1),
  };
}

/** Does what a frame asks for, and says so. Rejects with what the client got wrong. */
export async function deal(desk: Desk, frame: Exclude<ClientFrame, { type: 'ping' }>): Promise<void> {
  switch (frame.type) {
    case 'history':
      return showHistory(desk, frame);
    case 'message':
      return takeMessage(desk, frame);
    case 'delete_thread':
      return deleteThread(desk, frame);
    case 'cancel':
      return cancel(desk, frame);
    case 'approve':
      return approve(desk, frame);
  }
}

function viewOf(desk: Desk, id: ThreadId): ThreadView {
  const { views } = desk;
  const view = views.get(id) ?? createThreadView(id);
  views.delete(id);
  views.set(id, view);
  if (views.size > MAX_VIEWS) {
    const idle = [...views.values()].find((candidate) => !candidate.watching && candidate !== view);
    if (idle) views.delete(idle.id);
  }
  return view;
}

async function showHistory(desk: Desk, frame: Frame<'history'>): Promise<void> {
  const { signal } = desk.connection;
  if (signal.aborted) return;
  const { threadId, before } = frame;
  const view = viewOf(desk, threadId);
  const watched = [...desk.views.values()].filter(({ watching }) => watching).length;
  if (!view.watching && watched >= MAX_VIEWS) {
    throw new AppError('too_many_readers', `One socket follows at most ${MAX_VIEWS} threads; open another one`);
  }
  await watch(desk, view, desk.inOrder);
  if (before === null) breakOff(view.answers);
  await desk.ownPage.take(signal, () => showPage(desk, view, frame));
  const live = await desk.pages.take(signal, () => liveRuns(desk.engine, desk.owner, threadId));
  for (const run of live ?? []) show(desk, view.answers, { run, again: before === null });
}

async function showPage(desk: Desk, { known }: ThreadView, frame: Frame<'history'>): Promise<void> {
  const { engine, owner, clock, settings } = desk;
  const { signal } = desk.connection;
  const { threadId, before } = frame;
  const page = await desk.pages.take(signal, () => readHistory(engine, { owner, signal }, frame));
  if (page === null) return;
  for (const message of page.messages) {
    if (signal.aborted) return;
    note(known, message.id);
    await say(desk, toMessageFrame(message));
  }
  if (settings.greeting && before === null && page.messages.length === 0) {
    await say(desk, greetingFrame(threadId, clock.now(), await greetingOf(engine, owner, threadId)));
  }
  await say(desk, { type: 'history_end', thread_id: threadId, has_more: page.hasMore });
}

async function takeMessage(desk: Desk, frame: Frame<'message'>): Promise<void> {
  const { run, replayed } = await desk.engine.runs.start({ ...toStartRun(desk.owner, frame), revoked: desk.admission.over });
  const { known, answers, watching } = viewOf(desk, run.threadId);
  // Also when another of the user's sockets sent it before: it is this client's own all the same.
  note(known, run.messageId);
  await say(desk, { type: 'message_received', id: run.messageId, thread_id: run.threadId, job_id: run.id });
  // Answers are shown one after the other: those that this one waits for, from whichever device, come first.
  if (watching && run.status === 'queued')
    for (const ahead of await liveRuns(desk.engine, desk.owner, run.threadId)) show(desk, answers, { run: ahead });
  show(desk, answers, { run, again: replayed });
}

async function deleteThread(desk: Desk, { threadId }: Frame<'delete_thread'>): Promise<void> {
  const view = desk.views.get(threadId);
  if (view?.watching) view.deleting = true;
  try {
    await desk.engine.threads.delete(desk.owner, { id: threadId });
  } catch (error) {
    if (view) view.deleting = false;
    throw error;
  }
  await say(desk, { type: 'thread_deleted', thread_id: threadId });
}

async function cancel(desk: Desk, { runId }: Frame<'cancel'>): Promise<void> {
  const { engine, owner } = desk;
  const willTell = [...desk.views.values()].some(({ answers }) => isShowing(answers, runId));
  const run = await engine.runs.cancel(owner, runId);
  const watched = desk.views.get(run.threadId)?.watching === true;
  if (!willTell && !watched) await say(desk, toMessageFrame(await engine.threads.message(owner, run.answerId)));
}

async function approve(desk: Desk, { type: _type, ...decision }: Frame<'approve'>): Promise<void> {
  const { engine, owner } = desk;
  const run = await engine.runs.decide(owner, decision);
  // Whoever watches its thread or its answer gets this told by the run's own frames.
  const willTell = [...desk.views.values()].some(({ answers }) => isShowing(answers, run.id));
  if (!willTell && !desk.views.get(run.threadId)?.watching) show(desk, viewOf(desk, run.threadId).answers, { run });
}
