import { AppError } from '../../core/errors.ts';
import type { MessageId } from '../../core/ids.ts';
import type { Message } from '../../core/message.ts';
import type { Caller } from '../../core/principal.ts';
import { tooManyTags } from '../../core/refusals.ts';
import { MAX_TAGS, type Thread, type ThreadRef } from '../../core/thread.ts';
import type { Engine, RepeatKey, Started, StartRun } from '../../engine/index.ts';
import { counts, newTurns } from './merge.ts';
import { readConversation, type SentConversation } from './translate.ts';
import type { StreamBody } from './wire.ts';

const MESSAGES_PER_READ = 200;
/** Each time a session has changed meanwhile, somebody else's message got in: a full queue ends this before the tries do. */
const MAX_TRIES = 100;

/** A call of `/stream` whose body has been read. */
export interface AnswerRequest extends Pick<StartRun, 'revoked'> {
  readonly owner: Caller;
  readonly body: StreamBody;
  readonly repeat: RepeatKey | null;
}

interface Known extends AnswerRequest, SentConversation {
  readonly thread: Thread;
}

/**
 * Finds or starts the run that answers a sent conversation: in a new session, or in a stored one whose messages are merged with the sent
 * ones. Decides on what it has read of the session: when that changes meanwhile, it reads again.
 */
export async function startAnswer(engine: Engine, request: AnswerRequest): Promise<Started> {
  const { owner, body, repeat, revoked } = request;
  const { turns, settings } = readConversation(body);
  const conversation = { turns, settings: { ...settings, ...(revoked && { revoked }) } };
  if (typeof body.session_id !== 'number') {
    const { name } = engine.models.find(body.model);
    const create = { model: name, tags: body.tags ?? [], carryTurns: 0 };
    const ask = { kind: 'append', messages: conversation.turns } as const;
    return engine.runs.start({ owner, thread: { create }, ask, ...conversation.settings, repeat });
  }
  for (let tries = 1; ; tries += 1) {
    try {
      const thread = await engine.threads.find(owner, { number: body.session_id });
      const tags = newTags(thread, body);
      const started = await continueSession(engine, { ...request, ...conversation, thread });
      return tags.length === 0 || started.replayed ? started : await addTags(engine, owner, { started, tags });
    } catch (error) {
      if (tries === MAX_TRIES || !isConflict(error)) throw error;
    }
  }
}

/** What the call's tags add to those of the session; refused before anything is stored. */
function newTags(thread: Thread, body: StreamBody): readonly string[] {
  const added = [...new Set(body.tags ?? [])].filter((tag) => !thread.tags.includes(tag));
  if (added.length > 0 && thread.tags.length + added.length > MAX_TAGS) throw tooManyTags();
  return added;
}

async function addTags(engine: Engine, owner: Caller, { started, tags }: { started: Started; tags: readonly string[] }): Promise<Started> {
  return { ...started, thread: await engine.threads.changeTags(owner, refOf(started.thread), { add: tags }) };
}

async function continueSession(engine: Engine, known: Known): Promise<Started> {
  const { owner, thread, turns, settings, repeat } = known;
  const stored = await readStored(engine, known);
  const messages = stored === null ? turns : newTurns(stored, turns);
  const question = stored?.at(-1);
  if (messages.length === 0 && question) return answerAgain(engine, known, question);
  const ask = { kind: 'append', messages } as const;
  return engine.runs.start({ owner, thread: refOf(thread), ask, ...settings, expectedHead: thread.headId, repeat });
}

/** The session's messages that count, in order; null when they are more than were sent, so that they cannot be a prefix. */
async function readStored(engine: Engine, { owner, thread, turns }: Known): Promise<readonly Message[] | null> {
  const stored: Message[] = [];
  for (let branch: MessageId | 'head' = 'head'; ; ) {
    const page: readonly Message[] = await engine.threads.messages(owner, refOf(thread), { branch, limit: MESSAGES_PER_READ });
    stored.push(...page.filter(counts));
    if (stored.length > turns.length) return null;
    const next = page.at(-1)?.parentId ?? null;
    if (next === null) return stored.reverse();
    branch = next;
  }
}

/** Everything sent is stored and its last question has no completed answer: joins the run that works on it, or starts another one. */
async function answerAgain(engine: Engine, known: Known, question: Message): Promise<Started> {
  const { owner, thread, settings, repeat } = known;
  const again = { owner, thread: refOf(thread), ask: { kind: 'again', message: question.id }, ...settings, repeat } as const;
  const live = await engine.runs.liveOf(owner, question.id);
  if (!live) return engine.runs.start({ ...again, expectedHead: thread.headId });
  const joined: Started = { run: live, thread, replayed: false, rate: null };
  if (!repeat) return joined;
  // Only a start can tell whether the key is known; with a head that this thread cannot have it starts nothing new.
  return engine.runs.start({ ...again, expectedHead: null }).catch((error: unknown) => {
    if (isConflict(error)) return joined;
    throw error;
  });
}

function refOf(thread: Thread): ThreadRef {
  return { number: thread.number };
}

function isConflict(error: unknown): boolean {
  return error instanceof AppError && error.code === 'state_conflict';
}
