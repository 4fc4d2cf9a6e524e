import { AppError } from '../../core/errors.ts';
import type { ThreadId } from '../../core/ids.ts';
import type { Owner } from '../../core/principal.ts';
import { authenticate, type CredentialCarrier, ownerOf } from '../../http/authenticate.ts';
import type { DialectDeps } from '../../http/dialect.ts';
import { callAt } from '../../http/expiry.ts';
import { createQueryReader } from '../../http/query.ts';
import type { FrameReceiver, WebSocketConnection } from '../../http/web-socket-connection.ts';
import { attempt, type Chat, say } from './chat.ts';
import { liveRuns, readHistory } from './history.ts';
import { createInOrder, type InOrder } from './in-order.ts';
import { createThreadView, type ThreadView } from './thread-view.ts';
import { greetingFrame, toErrorFrame, toMessageFrame, toStartRun } from './translate.ts';
import { type ClientFrame, readFrame } from './wire.ts';

/** Threads that one socket shows at a time; the one not used for longest makes room. */
const MAX_VIEWS = 1_000;
const MAX_USER_ID_UNITS = 510;
const defaults = { greeting: true, contentBytes: 32_768 };

type Frame<Type extends ClientFrame['type']> = Extract<ClientFrame, { type: Type }>;

interface OpenChat extends DialectDeps {
  readonly connection: WebSocketConnection;
  readonly request: CredentialCarrier;
  readonly onFault: (error: unknown) => void;
}

/** Begins to serve a socket; one whose credential does not count is told so and closed (1008). */
export async function openChat(input: OpenChat): Promise<FrameReceiver> {
  const { connection, settings } = input;
  const owner = await admit(input);
  if (!owner) return () => undefined;
  const chat: Chat = { ...input, owner };
  const desk: Desk = { ...chat, ...(settings.chatWs ?? defaults), views: new Map(), inOrder: createInOrder() };
  connection.signal.addEventListener('abort', () => desk.views.clear(), { once: true });
  return (text) => attempt(chat, () => receive(desk, text));
}

async function admit({ connection, request, credentials, clock }: OpenChat): Promise<Owner | null> {
  try {
    const principal = await authenticate(request, { credentials, queryNames: { token: 'token', key: 'key' }, tellsExpired: true });
    const owner = ownerOf(principal, createQueryReader(request.query).text('user_id', MAX_USER_ID_UNITS));
    if (principal.kind === 'user' && principal.expiresAt !== undefined) {
      const callback = () => refuse(connection, new AppError('auth_expired', 'Token expired'));
      callAt(clock, principal.expiresAt, { signal: connection.signal, callback });
    }
    return connection.signal.aborted ? null : owner;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    refuse(connection, error);
    return null;
  }
}

function refuse(connection: WebSocketConnection, error: AppError): void {
  connection.send(JSON.stringify(toErrorFrame(error)));
  connection.close(1008, error.code);
}

/** A socket with its settings and what it shows. */
interface Desk extends Chat {
  readonly greeting: boolean;
  readonly contentBytes: number;
  readonly views: Map<ThreadId, ThreadView>;
  readonly inOrder: InOrder;
}

async function receive(desk: Desk, text: Buffer | null): Promise<void> {
  if (text === null) throw new AppError('validation_failed', 'Binary frames are not supported');
  const frame = readFrame(text, desk);
  switch (frame.type) {
    case 'ping':
      return say(desk, { type: 'pong' });
    case 'history':
      return inThread(desk, frame.threadId, () => showHistory(desk, frame));
    case 'message':
      return inThread(desk, frame.threadId, () => takeMessage(desk, frame));
    case 'delete_thread':
      return inThread(desk, frame.threadId, () => deleteThread(desk, frame));
    case 'cancel':
      return desk.inOrder(frame.runId, () => attempt(desk, () => cancel(desk, frame), { jobId: frame.runId }));
    case 'approve':
      return attempt(desk, () => approve(desk, frame), { jobId: frame.runId });
  }
}

function inThread(desk: Desk, threadId: ThreadId, task: () => Promise<void>): Promise<void> {
  return desk.inOrder(threadId, () => attempt(desk, task, { threadId }));
}

function viewOf({ views, ...desk }: Desk, id: ThreadId): ThreadView {
  const view = views.get(id) ?? createThreadView(desk, id, desk.inOrder);
  views.delete(id);
  views.set(id, view);
  if (views.size > MAX_VIEWS) {
    const idle = [...views.values()].find((candidate) => !candidate.watching && candidate !== view);
    if (idle) views.delete(idle.id);
  }
  return view;
}

async function showHistory(desk: Desk, frame: Frame<'history'>): Promise<void> {
  const { engine, owner, clock } = desk;
  const { threadId, before } = frame;
  const view = viewOf(desk, threadId);
  const watched = [...desk.views.values()].filter(({ watching }) => watching).length;
  if (!view.watching && watched >= MAX_VIEWS) {
    throw new AppError('too_many_readers', `One socket follows at most ${MAX_VIEWS} threads; open another one`);
  }
  await view.watch();
  if (before === null) view.answers.breakOff();
  const { messages, hasMore } = await readHistory(engine, owner, frame);
  for (const message of messages) {
    view.known.add(message.id);
    await say(desk, toMessageFrame(message));
  }
  if (desk.greeting && before === null && messages.length === 0) await say(desk, greetingFrame(threadId, clock.now()));
  await say(desk, { type: 'history_end', thread_id: threadId, has_more: hasMore });
  for (const run of await liveRuns(engine, owner, threadId)) view.answers.show(run, { again: before === null });
}

async function takeMessage(desk: Desk, frame: Frame<'message'>): Promise<void> {
  const { run, replayed } = await desk.engine.runs.start(toStartRun(desk.owner, frame));
  const { known, answers, watching } = viewOf(desk, run.threadId);
  if (!replayed) known.add(run.messageId);
  await say(desk, { type: 'message_received', id: run.messageId, thread_id: run.threadId, job_id: run.id });
  // Answers are shown one after the other: those that this one waits for, from whichever device, come first.
  if (watching && run.status === 'queued') for (const ahead of await liveRuns(desk.engine, desk.owner, run.threadId)) answers.show(ahead);
  answers.show(run, { again: replayed });
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
  const willTell = [...desk.views.values()].some(({ answers }) => answers.isShowing(runId));
  const run = await engine.runs.cancel(owner, runId);
  const watched = desk.views.get(run.threadId)?.watching === true;
  if (!willTell && !watched) await say(desk, toMessageFrame(await engine.threads.message(owner, run.answerId)));
}

async function approve({ engine, owner }: Desk, { runId }: Frame<'approve'>): Promise<void> {
  await engine.runs.find(owner, runId);
  throw new AppError('state_conflict', 'This job does not wait for an approval');
}
